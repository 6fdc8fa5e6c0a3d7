import { describe, expect, it } from 'vitest';
import { CPU, R } from '../../../core/model.ts';
import { loadTrace } from '../../../sim/trace/load.ts';
import { openWorkload } from '../../../sim/workload/open.ts';
import { workloadSchema } from '../../../sim/workload/schema.ts';
import { tracesDir } from '../../support.ts';
import { mean, record, series } from './streams.ts';

const traces = tracesDir();

describe.skipIf(traces === undefined)('replaying real traces (needs $FORESIZE_TRACES)', () => {
  const open = (section: object, intervals?: number) =>
    openWorkload(workloadSchema.parse({ source: 'trace', ...section }), {
      seed: 1,
      stepMs: 300_000,
      intervals,
      baseDir: '.',
      loadTrace,
      tracesDir: traces,
    });

  it('PlanetLab 20110303 has the published number of VMs and mean', async () => {
    const vms = record(await open({ path: 'traces:planetlab/20110303', assume: { cpu: 2 } }));
    expect(vms).toHaveLength(1052);
    // CCPE 2012, Table II: 12.31 % of the VM's capacity, here 2 cores.
    expect(mean(vms.map((vm) => mean(series(vm, CPU)))) / 2).toBeCloseTo(0.1231, 3);
    for (const { arrival, demand } of vms) {
      expect(arrival.spec.requested).toEqual([2, 0, 0, 0]);
      expect(demand.every((x, i) => (i % R === CPU ? x >= 0 && x <= 2 : x === 0))).toBe(true);
    }
  });

  it('Bitbrains has all four resources, and no gaps', async () => {
    const vms = record(
      await open({ path: 'traces:bitbrains-rnd', limit: 5, from: '1d', requested: { diskIo: 5e6 } }, 288),
    );
    expect(vms.length).toBeGreaterThan(0);
    for (const { arrival, at, demand } of vms) {
      expect(demand.length / R).toBe(Math.min(arrival.until, 288) - at);
      expect(demand.every((x) => Number.isFinite(x) && x >= 0)).toBe(true);
      expect(arrival.spec.requested[0]).toBeGreaterThan(0);
      expect(arrival.spec.requested[1]).toBeGreaterThan(0);
      expect(arrival.spec.requested[2]).toBe(5e6);
    }
  });
});
