import type { ControllerConfig } from '../../core/config.ts';
import type { VmSpec } from '../../core/model.ts';
import type { OperationsEvent } from '../operations.ts';

/** One write as the adapter makes it: plain data, so that the journal can hold it and the watchdog play it. */
export interface RecordedWrite {
  readonly operation: string;
  readonly args: readonly unknown[];
}

/** A place in the journal to read on from: the next entry, and the next frame. */
export interface Position {
  readonly seq: number;
  readonly tick: number;
}

/** What fixes a session: with it and the frames, every decision can be made again. */
export interface SessionStart {
  readonly id: string;
  readonly codeVersion: string;
  readonly uri: string;
  readonly apply: boolean;
  readonly pid: number;
  readonly controller: ControllerConfig;
  readonly seed: number;
  readonly stepMs: number;
  /** Time of tick 0, ms since the Unix epoch. */
  readonly epochMs: number;
  /** Where the past it took in begins; what lies before was forgotten. */
  readonly history: Position;
  /** Id of the bundle it runs. */
  readonly bundle?: string;
  /** Number of the entry with the forecast models its past begins with. */
  readonly models?: number;
}

/** One resize: VM by its number (order of admission), resource, from, to. */
export type JournaledIntent = readonly [vm: number, resource: number, from: number, to: number];

/** What happened, in the order it did. Frames are kept apart, see frame-codec.ts. */
export type Entry =
  | { readonly kind: 'session'; readonly at: number; readonly session: SessionStart }
  | { readonly kind: 'end'; readonly at: number; readonly reason: string }
  | {
      readonly kind: 'fleet';
      readonly at: number;
      readonly tick: number;
      readonly departed: readonly string[];
      readonly arrived: readonly { readonly spec: VmSpec; readonly uuid: string }[];
    }
  /** Ticks that were not made, both ends included. The core sees them as ticks without a sample. */
  | {
      readonly kind: 'missed';
      readonly at: number;
      readonly from: number;
      readonly to: number;
      readonly reason: 'down' | 'late' | 'clock' | 'journal';
    }
  | {
      readonly kind: 'intents';
      readonly at: number;
      readonly tick: number;
      readonly intents: readonly JournaledIntent[];
    }
  | {
      readonly kind: 'outcomes';
      readonly at: number;
      readonly tick: number;
      /** By intent, as core/intents.ts numbers them. */
      readonly outcomes: readonly number[];
      /** Found out after a kill by comparing with what the hypervisor had. */
      readonly reconciled?: true;
    }
  /** How to put a limit back as it was before the first resize. */
  | {
      readonly kind: 'original';
      readonly at: number;
      readonly vmId: string;
      readonly uuid: string;
      readonly resource: number;
      readonly writes: readonly RecordedWrite[];
    }
  | { readonly kind: 'restored'; readonly at: number; readonly vmIds: readonly string[]; readonly by: string }
  | {
      readonly kind: 'policy';
      readonly at: number;
      readonly applicationId: string;
      readonly policy: string;
      readonly by: string;
    }
  | {
      readonly kind: 'kill-switch';
      readonly at: number;
      readonly engaged: boolean;
      readonly reason: string;
      readonly by: string;
    }
  | {
      readonly kind: 'stage';
      readonly at: number;
      readonly name: 'shadow' | 'canary' | 'all';
      readonly bundle: string | null;
      readonly reason: string;
      readonly by: string;
    }
  /** What a restart goes on with: live/promote/stages.ts. */
  | { readonly kind: 'stages'; readonly at: number; readonly state: unknown }
  | {
      readonly kind: 'answer';
      readonly at: number;
      readonly id: string;
      readonly answer: 'accepted' | 'dismissed';
      readonly by: string;
      readonly note: string;
    }
  /** Forecast models of a bundle that fit, as core/forecast/model-document.ts writes them. */
  | { readonly kind: 'models'; readonly at: number; readonly documents: readonly unknown[] }
  | { readonly kind: 'event'; readonly at: number; readonly event: Omit<OperationsEvent, 'seq' | 'at'> };
