import type { Controller } from '../core/controller.ts';
import type { Resource } from '../core/model.ts';

/** How far a configuration has got on its way to all VMs. */
export type Stage = 'shadow' | 'canary' | 'all';

/** Something an administrator may want to know of, in the order it happened. */
export interface OperationsEvent {
  /** Counts from 1 over the life of the journal. */
  readonly seq: number;
  /** ms since the Unix epoch. */
  readonly at: number;
  readonly kind:
    | 'tick'
    | 'resize'
    | 'anomaly'
    | 'policy'
    | 'stage'
    | 'alarm'
    | 'kill-switch'
    | 'recommendation'
    | 'fleet'
    | 'problem';
  /** One sentence, with figures and units. */
  readonly text: string;
  readonly vmId?: string;
}

export interface DaemonStatus {
  readonly mode: 'dry-run' | 'apply';
  readonly startedAt: number;
  readonly uri: string;
  readonly connected: boolean;
  readonly tick: number;
  readonly tickAt: number;
  readonly stepMs: number;
  /** Time the core took to decide and the whole tick took, ms, of the last tick. */
  readonly decideMs: number;
  readonly tickMs: number;
  /** Time it took to read all VMs once, ms: the longest since the tick before. */
  readonly sampleMs: number;
  readonly overruns: number;
  readonly vms: number;
  /** VMs left alone because their telemetry is stale. */
  readonly frozen: number;
  readonly killSwitch: { readonly engaged: boolean; readonly reason: string; readonly at: number };
  readonly stage: { readonly name: Stage; readonly since: number; readonly bundle: string | null };
  readonly resizes: { readonly applied: number; readonly failed: number; readonly refused: number };
}

/** What was seen and granted of one resource of a VM, oldest first; NaN where nothing came. */
export interface VmTrack {
  readonly at: readonly number[];
  readonly usage: readonly number[];
  readonly pressure: readonly number[];
  readonly allocation: readonly number[];
  /** What had been forecast for each tick one tick before: median and the upper quantile; NaN before the first. */
  readonly median: readonly number[];
  readonly upper: readonly number[];
  readonly upperQuantile: number;
}

/** An anomaly of a VM, open while `endedAt` is null. */
export interface AnomalyView {
  readonly id: string;
  readonly vmId: string;
  readonly applicationId: string;
  readonly userId: string;
  readonly severity: string;
  readonly explanation: string;
  readonly beganAt: number;
  readonly endedAt: number | null;
}

/** Advice with its evidence, as the cost advisor gave it; see docs/advisor.md. */
export interface RecommendationView {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly reason: string;
  readonly saving: {
    readonly perMonth: number;
    readonly low: number;
    readonly high: number;
    readonly currency: string;
  };
  readonly risk: string;
  readonly evidence: string;
  readonly state: 'open' | 'accepted' | 'dismissed';
}

export interface StageView {
  readonly name: Stage;
  readonly since: number;
  /** Live figure against the interval the simulator promised, a row a measure. */
  readonly checks: readonly {
    readonly measure: string;
    readonly unit: string;
    readonly live: number | null;
    readonly low: number;
    readonly high: number;
    readonly holds: boolean | null;
  }[];
  readonly bundle: { readonly id: string; readonly codeVersion: string; readonly createdAt: string } | null;
  /** VMs the daemon may act on in this stage. */
  readonly inScope: number;
}

/**
 * What the daemon offers its API and its dashboard. Reads answer at once from memory. Writes are journaled before they
 * take effect, and throw a ForesizeError when they cannot.
 */
export interface Operations {
  readonly controller: Controller;
  status(): DaemonStatus;
  track(vmId: string, resource: Resource, ticks: number): VmTrack;
  anomalies(): readonly AnomalyView[];
  recommendations(): readonly RecommendationView[];
  stage(): StageView;
  /** The newest events with a `seq` above `after`, oldest first, at most `limit`. */
  events(after: number, limit: number): readonly OperationsEvent[];
  /** Calls `listener` with every event from now on; the answer ends it. */
  subscribe(listener: (event: OperationsEvent) => void): () => void;
  setPolicy(applicationId: string, policyName: string, by: string): Promise<void>;
  /** Stops all resizing at once; `restore` also lifts the limits that were set. */
  engageKillSwitch(reason: string, restore: boolean, by: string): Promise<void>;
  releaseKillSwitch(by: string): Promise<void>;
  /** Moves to the next stage, or back to shadow. */
  advanceStage(by: string): Promise<void>;
  rollBack(reason: string, by: string): Promise<void>;
  answerRecommendation(id: string, answer: 'accepted' | 'dismissed', by: string, note: string): Promise<void>;
}
