import { existsSync } from 'node:fs';
import type { ControllerConfig } from '../core/config.ts';
import { R, type VmSpec } from '../core/model.ts';
import { fileIn, Journal } from './store/journal.ts';

/** What a journal saw and granted, a column a VM, and what decided. */
export interface JournalHistory {
  readonly controller: ControllerConfig;
  readonly columns: {
    readonly epochMs: number;
    readonly stepMs: number;
    readonly vms: readonly Column[];
  };
}

interface Column {
  readonly vmId: string;
  readonly applicationId: string;
  readonly userId: string;
  readonly start: number;
  readonly usage: Float32Array;
  readonly pressure: Float32Array;
  readonly allocation: Float32Array;
}

interface Stretch {
  readonly spec: VmSpec;
  readonly first: number;
  last: number;
}

/**
 * The history of a journal's VMs as columns, on one grid from its first frame; undefined where no journal is. Read in
 * two passes, so that it takes 48 bytes a VM-tick and no more. A VM that came again under its name goes on in its column.
 */
export async function journalHistory(dir: string): Promise<JournalHistory | undefined> {
  if (!existsSync(fileIn(dir))) return undefined;
  const journal = Journal.attach(dir, false);
  try {
    return read(journal);
  } finally {
    await journal.close();
  }
}

function read(journal: Journal): JournalHistory | undefined {
  const names = new Names();
  const stretches = new Map<string, Stretch>();
  let session: { controller: ControllerConfig; stepMs: number; epochMs: number } | undefined;
  let origin = -1;
  for (const { entry, frame } of journal.read()) {
    if (entry?.kind === 'session') session = entry.session;
    else if (entry?.kind === 'fleet') names.take(entry);
    if (!frame) continue;
    if (origin < 0) origin = frame.tick;
    for (const vm of frame.vms) {
      const spec = names.specs[vm]!;
      const known = stretches.get(spec.vmId);
      if (known) known.last = frame.tick;
      else stretches.set(spec.vmId, { spec, first: frame.tick, last: frame.tick });
    }
  }
  if (!session) return undefined;
  const columns = new Map<string, Column>();
  for (const [vmId, { spec, first, last }] of stretches) {
    const length = (last - first + 1) * R;
    columns.set(vmId, {
      vmId,
      applicationId: spec.applicationId,
      userId: spec.userId,
      start: first - origin,
      usage: new Float32Array(length).fill(Number.NaN),
      pressure: new Float32Array(length),
      allocation: new Float32Array(length),
    });
  }
  for (const { frame } of journal.read()) {
    frame?.vms.forEach((vm, row) => {
      const column = columns.get(names.specs[vm]!.vmId)!;
      const at = (frame.tick - origin - column.start) * R;
      for (const key of ['usage', 'pressure', 'allocation'] as const)
        column[key].set(frame[key].subarray(row * R, row * R + R), at);
    });
  }
  const { controller, stepMs, epochMs } = session;
  return {
    controller,
    columns: { epochMs: epochMs + origin * stepMs, stepMs, vms: [...columns.values()] },
  };
}

/** VMs by their numbers, as the ledger gives them. */
class Names {
  readonly specs: VmSpec[] = [];
  readonly #here = new Map<string, number>();

  take(entry: { departed: readonly string[]; arrived: readonly { readonly spec: VmSpec }[] }): void {
    for (const vmId of entry.departed) this.#here.delete(vmId);
    for (const { spec } of entry.arrived) {
      const number = this.#here.get(spec.vmId) ?? this.specs.length;
      this.#here.set(spec.vmId, number);
      this.specs[number] = spec;
    }
  }
}
