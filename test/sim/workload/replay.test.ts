import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { R } from '../../../core/model.ts';
import type { Trace, TraceVm } from '../../../sim/trace/types.ts';
import { type ReplayOptions, replayWorkload } from '../../../sim/workload/replay.ts';
import { demandAt, record } from './streams.ts';

const N = Number.NaN;

function vm(vmId: string, start: number, rows: readonly (readonly number[])[], size = [N, N, N, N]): TraceVm {
  return {
    vmId,
    applicationId: 'shop',
    userId: 'ana',
    size: size as unknown as TraceVm['size'],
    start,
    usage: Float32Array.from(rows.flat()),
  };
}

function trace(vms: TraceVm[], has: Trace['has'] = [true, true, true, true]): Trace {
  return {
    name: 'test',
    format: 'test',
    epochMs: 1_000_000,
    stepMs: 300_000,
    has,
    vms,
    report: {
      files: 1,
      rows: 0,
      outOfOrder: 0,
      duplicates: 0,
      invalid: 0,
      gaps: 0,
      examples: [],
      sha256: '',
    },
  };
}

const options: ReplayOptions = {
  scale: 1,
  requested: {},
  peakFactor: 1.5,
  bounds: { floor: [0.25, 128, 10, 10], ceiling: 2 },
};

describe('replaying a trace', () => {
  it('gives the recorded usage, in any slot', () => {
    const w = replayWorkload(
      trace([
        vm('a', 0, [
          [1, 2, 3, 4],
          [5, 6, 7, 8],
        ]),
        vm('b', 0, [
          [10, 20, 30, 40],
          [50, 60, 70, 80],
        ]),
      ]),
      options,
    );
    expect([w.name, w.epochMs, w.stepMs, w.intervals]).toEqual(['test', 1_000_000, 300_000, 2]);
    const stream = w.open();
    expect(stream.arrivals(0).map((a) => [a.vm, a.spec.vmId, a.until])).toEqual([
      [0, 'a', Number.POSITIVE_INFINITY],
      [1, 'b', Number.POSITIVE_INFINITY],
    ]);
    const out = new Float64Array(3 * R).fill(-1);
    stream.demand(1, 2, Int32Array.of(1, 0), Int32Array.of(0, 2), out);
    expect([...out]).toEqual([50, 60, 70, 80, -1, -1, -1, -1, 5, 6, 7, 8]);
  });

  it('holds the last value over a gap, and the next one before the first', () => {
    const w = replayWorkload(
      trace(
        [
          vm('a', 0, [
            [N, N, 1, N],
            [2, N, N, N],
            [N, 7, -3, N],
            [4, N, Number.POSITIVE_INFINITY, N],
          ]),
        ],
        [true, true, true, false],
      ),
      options,
    );
    expect(record(w)[0]!.demand).toEqual([2, 7, 1, 0, 2, 7, 1, 0, 2, 7, 0, 0, 4, 7, 0, 0]);
  });

  it('takes the request from the trace, the options or the peak, in that order', () => {
    const w = replayWorkload(
      trace(
        [
          vm('a', 0, [[0.2, 100, 4, 0]], [2, N, N, N]),
          vm('b', 0, [[0.2, 100, 4, 0]]),
          vm('c', 0, [[0.1, 100, 4, 0]]),
        ],
        [true, true, true, false],
      ),
      { ...options, requested: { memory: 64, network: 5 }, scale: 2 },
    );
    const [a, b, c] = w.open().arrivals(0);
    // cpu as stated; memory from the options, its floor lowered to the request; disk 4 x 2 x 1.5; no network.
    expect(a!.spec.requested).toEqual([2, 64, 12, 0]);
    expect(a!.spec.min).toEqual([0.25, 64, 10, 0]);
    expect(a!.spec.max).toEqual([4, 128, 24, 0]);
    // 0.2 x 2 x 1.5 = 0.6 cores for b, 0.3 for c
    expect(b!.spec.requested[0]).toBeCloseTo(0.6, 6);
    expect(c!.spec.requested[0]).toBeCloseTo(0.3, 6);
  });

  it('lets VMs come and go', () => {
    const long = Array.from({ length: 200 }, (_, i) => [i, 0, 0, 0]);
    const w = replayWorkload(
      trace([
        vm('a', 0, long),
        vm('b', 70, long.slice(0, 10)),
        vm('c', 130, long.slice(0, 70)),
        vm('d', 150, long),
      ]),
      { ...options, intervals: 180 },
    );
    expect(w.intervals).toBe(180);
    const vms = record(w);
    expect(vms.map((v) => [v.arrival.spec.vmId, v.at, v.arrival.until, v.demand.length / R])).toEqual([
      ['a', 0, Number.POSITIVE_INFINITY, 180],
      ['b', 70, 80, 10],
      ['c', 130, Number.POSITIVE_INFINITY, 50],
      ['d', 150, Number.POSITIVE_INFINITY, 30],
    ]);
    for (const v of vms)
      expect(v.demand.filter((_, i) => i % R === 0)).toEqual(
        v.demand.filter((_, i) => i % R === 0).map((_, i) => i),
      );
  });

  it('streams are independent', () => {
    const w = replayWorkload(
      trace([
        vm('a', 0, [
          [1, 0, 0, 0],
          [N, 0, 0, 0],
          [3, 0, 0, 0],
        ]),
      ]),
      options,
    );
    const ahead = w.open();
    const behind = w.open();
    expect(demandAt(ahead, 2, [0])[0]).toBe(3);
    expect(demandAt(behind, 0, [0])[0]).toBe(1);
    expect(demandAt(behind, 1, [0])[0]).toBe(1);
  });

  it('is finite and never negative, and a VM is here exactly as long as the trace says', () => {
    const value = fc.oneof(fc.float(), fc.constant(N));
    const someVm = fc.record({
      start: fc.nat(150),
      rows: fc.array(fc.tuple(value, value, value, value), { minLength: 1, maxLength: 150 }),
    });
    fc.assert(
      fc.property(
        fc.array(someVm, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 200 }),
        (vms, n) => {
          const t = trace(vms.map(({ start, rows }, i) => vm(`v${i}`, start, rows)));
          const w = replayWorkload(t, { ...options, intervals: n });
          const seen = record(w);
          for (const { arrival, at, demand } of seen) {
            const { start, rows } = vms.find((_, i) => `v${i}` === arrival.spec.vmId)!;
            expect(at).toBe(start);
            expect(demand.length / R).toBe(Math.min(start + rows.length, w.intervals) - start);
            expect(demand.every((x) => Number.isFinite(x) && x >= 0)).toBe(true);
          }
          expect(seen.length).toBe(vms.filter((v) => v.start < w.intervals).length);
        },
      ),
      { numRuns: 60 },
    );
  });
});
