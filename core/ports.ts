import type { IntentBatch } from './intents.ts';
import type { Frame, Resource } from './model.ts';

/** Time as the driver has it: simulated or wall. */
export interface Clock {
  /** ms since the Unix epoch. */
  now(): number;
}

/** Where samples come from. */
export interface Telemetry {
  /**
   * Fills a row of `frame` for every VM of the fleet with what was observed since the last read, and sets
   * `allocation` to what is granted now. Never a sample later than `at`. A VM without a sample keeps NaN usage
   * and its old `sampledAt`.
   */
  read(at: number, frame: Frame): void | Promise<void>;
}

/** Where intents go. */
export interface Hypervisor {
  /** Carries out the intents and writes each outcome. Their effect is seen only in later frames. */
  apply(at: number, intents: IntentBatch): void | Promise<void>;
  /**
   * Moves a VM to the quarantine pool, or back from it. True when it is there or on its way; false when there is no
   * room now: it is asked again every tick. Absent where there is no such pool.
   */
  quarantine?(at: number, slot: number, on: boolean): boolean | Promise<boolean>;
}

/** Told of anomalies by the `alert` response: a log, a webhook, an event stream. */
export interface AlertSink {
  /** Called within the tick: hand it on, do not wait for anybody, do not throw. */
  alert(alert: Alert): void;
}

/** An anomaly began, got graver or ended. Plain data; times in ms since the epoch. */
export interface Alert {
  readonly change: 'onset' | 'graver' | 'end';
  /** The same over the life of an anomaly. */
  readonly id: string;
  readonly at: number;
  readonly vmId: string;
  readonly applicationId: string;
  readonly userId: string;
  readonly severity: 'low' | 'medium' | 'high';
  /** What it shows in; 'joint' for resources that part company. */
  readonly resources: readonly (Resource | 'joint')[];
  /** One sentence: "network 14 x its 99 % quantile for 3 ticks; CPU, memory and disk I/O normal". */
  readonly explanation: string;
  readonly onsetAt: number;
  readonly raisedAt: number;
  /** null while it lasts. */
  readonly endedAt: number | null;
  readonly outcome: 'returned' | 'new-normal' | 'retired' | null;
}
