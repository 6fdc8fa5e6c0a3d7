import type { Fleet } from '../core/fleet.ts';
import type { Frame, VmSpec } from '../core/model.ts';
import type { RecordedWrite } from './store/entries.ts';
import type { Original } from './store/ledger.ts';

/** VMs that came or changed and VMs that went; to be told departures first. */
export interface PlantChanges {
  readonly departed: readonly string[];
  readonly arrived: readonly { readonly spec: VmSpec; readonly uuid: string }[];
}

/** What became of a resize. */
export interface PlantReport {
  readonly outcome: number;
  /** What is granted after it; NaN if that could not be seen. */
  readonly granted: number;
  readonly latencyMs: number;
  readonly problem: Error | undefined;
}

/** What the daemon drives: a host with its VMs, as it needs it. */
export interface Plant {
  readonly uri: string;
  readonly connected: boolean;
  /** Whether anything can be written to it. */
  readonly writable: boolean;
  /** What changed since the last call. */
  changes(): PlantChanges;
  /** All VMs that are there, in order of their ids. */
  present(): PlantChanges['arrived'];
  /** Reads the VMs of `fleet` from now on. */
  attach(fleet: Fleet): void;
  /** Takes samples now. Never rejects. */
  sample(): Promise<void>;
  /** Folds the samples up to `at` into the frame, as core/ports.ts has it. */
  read(at: number, frame: Frame): void;
  /** How to put a resource back as it is now. */
  original(vmId: string, resource: number): Promise<{ uuid: string; writes: readonly RecordedWrite[] }>;
  /** Never rejects. */
  resize(vmId: string, resource: number, from: number, to: number): Promise<PlantReport>;
  /** Puts a VM's limits back. A VM that is gone is none of its business. */
  restore(vmId: string, original: Original): Promise<void>;
  close(): Promise<void>;
}
