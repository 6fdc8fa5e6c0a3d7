import type { IntentBatch } from './intents.ts';
import type { Frame } from './model.ts';

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
}
