import { DemandEstimate } from '../core/demand-estimate.ts';
import { EXIT, ForesizeError } from '../core/errors.ts';
import { Fleet } from '../core/fleet.ts';
import { Frame, R, type VmSpec } from '../core/model.ts';
import type { RecordedDemand, Recording } from '../core/recording.ts';
import type { SessionStart } from './store/entries.ts';
import type { JournaledFrame } from './store/frame-codec.ts';
import type { Journal } from './store/journal.ts';

interface Row {
  readonly tick: number;
  readonly values: Record<'demand' | 'usage' | 'pressure' | 'allocation', Float64Array>;
}

/**
 * The demand a journal tells of: of every tick, what each VM would have used had nothing held it back, by the core's
 * own estimate. The newest session gives the configuration.
 * @throws ForesizeError JOURNAL_EMPTY
 */
export function recordingOf(journal: Journal): Recording {
  const specs = new Map<number, VmSpec>();
  const numbers = new Map<string, number>();
  const rows = new Map<number, Row[]>();
  const resizes = new Map<number, number[]>();
  let session: SessionStart | undefined;
  let first = Number.POSITIVE_INFINITY;
  let last = -1;
  for (const { entry, frame } of journal.read()) {
    if (frame) {
      first = Math.min(first, frame.tick);
      last = frame.tick;
      for (const [vm, values] of estimate(frame, specs)) {
        const list = rows.get(vm);
        const row = { tick: frame.tick, values };
        if (list) list.push(row);
        else rows.set(vm, [row]);
      }
    } else if (entry.kind === 'session') session = entry.session;
    else if (entry.kind === 'fleet') {
      for (const vmId of entry.departed) numbers.delete(vmId);
      for (const { spec } of entry.arrived) {
        const known = numbers.get(spec.vmId);
        const vm = known ?? specs.size;
        numbers.set(spec.vmId, vm);
        if (known === undefined) specs.set(vm, spec);
      }
    } else if (entry.kind === 'intents') {
      for (const [vm, resource] of entry.intents) {
        const counts = resizes.get(vm) ?? new Array<number>(R).fill(0);
        counts[resource]!++;
        resizes.set(vm, counts);
      }
    }
  }
  if (!session || last <= first) {
    throw new ForesizeError(
      { code: 'JOURNAL_EMPTY', what: 'the journal holds fewer than two ticks', where: journal.file },
      EXIT.runtime,
    );
  }
  const { controller, seed, stepMs } = session;
  return {
    controller,
    seed,
    stepMs,
    epochMs: session.epochMs + first * stepMs,
    intervals: last - first,
    vms: [...rows].flatMap(([vm, list]) =>
      column(specs.get(vm)!, list, first, resizes.get(vm) ?? new Array<number>(R).fill(0)),
    ),
  };
}

/** The rows of a frame with the estimate of demand. */
function* estimate(
  frame: JournaledFrame,
  specs: ReadonlyMap<number, VmSpec>,
): Generator<[vm: number, values: Row['values']]> {
  const fleet = new Fleet();
  const raw = fleet.register(new Frame());
  const estimator = new DemandEstimate(fleet);
  frame.vms.forEach((vm, row) => {
    const slot = fleet.admit({ ...specs.get(vm)!, vmId: String(vm) }, 0);
    for (const key of ['usage', 'pressure', 'allocation'] as const) {
      raw[key].set(frame[key].subarray(row * R, row * R + R), slot * R);
    }
    raw.oomKills[slot] = frame.oomKills[row]!;
  });
  const { usage } = estimator.update(raw);
  for (const [row, vm] of frame.vms.entries()) {
    const part = (values: Float64Array) => values.slice(row * R, row * R + R);
    yield [
      vm,
      {
        demand: part(usage),
        usage: part(raw.usage),
        pressure: part(raw.pressure),
        allocation: part(raw.allocation),
      },
    ];
  }
}

/** What tick t + 1 shows is of interval t. */
function column(spec: VmSpec, rows: readonly Row[], first: number, resizes: number[]): RecordedDemand[] {
  const from = Math.max(0, rows[0]!.tick - first - 1);
  const until = rows.at(-1)!.tick - first;
  if (until <= from) return [];
  const columns = { demand: empty(), usage: empty(), pressure: empty(), allocation: empty() };
  function empty(): Float64Array {
    return new Float64Array((until - from) * R).fill(Number.NaN);
  }
  for (const { tick, values } of rows) {
    const at = (tick - first - 1 - from) * R;
    if (at < 0) continue;
    for (const key of ['demand', 'usage', 'pressure', 'allocation'] as const)
      columns[key].set(values[key], at);
  }
  return [{ spec, from, until, resizes, granted: rows[0]!.values.allocation, ...columns }];
}
