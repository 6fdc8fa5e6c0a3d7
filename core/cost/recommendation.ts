import type { Change, ChangeKind } from './change.ts';

/** An estimate and its interval at the advisor's level. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** What a replay of a change on the recorded history measured, against the replay without it. */
export interface Effect {
  /** Money a month of 30.44 days: simulated, at the price list. */
  readonly saving: Interval | null;
  /** Rise of the share of VM-time short of something, over the VMs concerned. */
  readonly violation: Interval | null;
  /** Days compared, and days of the VMs concerned together. */
  readonly days: number;
  readonly vmDays: number;
  /** VMs that cost or were served otherwise, or are gone. */
  readonly vms: number;
  /** Cost of the whole fleet a month without and with the change. */
  readonly costBefore: number;
  readonly costAfter: number;
  /** Deadlines missed without and with it; of the latter, jobs that vanished with their VM count as missed. */
  readonly deadlines: { readonly before: number; readonly after: number; readonly jobs: number };
  /** Late even if nothing holds them back: no advice is to blame. */
  readonly impossible: number;
  readonly oomKills: { readonly before: number; readonly after: number };
  /** Interruptions, and share of time away, of VMs on spot capacity. */
  readonly spot: { readonly interruptions: number; readonly away: number } | null;
  /** VM-seconds without a host, and VMs no host can hold. */
  readonly waitingS: { readonly before: number; readonly after: number };
  readonly tooLarge: { readonly before: number; readonly after: number };
}

/** Why advice is held back. */
export const WITHHELD = [
  'NO_INTERVAL',
  'DOES_NOT_PAY',
  'VIOLATIONS',
  'DEADLINES',
  'OOM_KILLS',
  'DOWNTIME',
  'NO_HOST',
  'BEATEN',
] as const;
export type WithheldCode = (typeof WITHHELD)[number];

export interface WithheldReason {
  readonly code: WithheldCode;
  /** One sentence, with figures. */
  readonly text: string;
}

export interface Recommendation {
  /** The same change has the same id. */
  readonly id: string;
  readonly kind: ChangeKind;
  readonly subject: string;
  readonly vms: readonly string[];
  readonly reason: string;
  readonly change: Change;
  readonly effect: Effect;
  /** Empty: it is proposed. */
  readonly withheld: readonly WithheldReason[];
}

/** All that a history led to, best first. */
export interface Advice {
  readonly schema: 'foresize/advice/v1';
  /** The run it was made from; null for a history of other origin. */
  readonly run: string | null;
  readonly scenario: string;
  readonly policy: string;
  readonly version: string;
  readonly currency: string;
  readonly level: number;
  readonly margin: number;
  readonly span: { readonly from: string; readonly to: string; readonly days: number };
  readonly recommendations: readonly Recommendation[];
  readonly withheld: readonly Recommendation[];
  /** Ids in force in the combined replay and what it measured: effects do not add up. Null with no recommendation. */
  readonly combined: { readonly ids: readonly string[]; readonly effect: Effect } | null;
  /** What could not be looked into, and why. */
  readonly notes: readonly string[];
}
