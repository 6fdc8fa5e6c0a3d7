import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DAY } from '../../../core/duration.ts';
import { AZURE_SURVIVAL, azureArrivals, lifetimeAt } from '../../../sim/workload/azure.ts';
import { readAzureArrivals } from '../../../sim/workload/azure-trace.ts';
import { tracesDir } from '../../support.ts';
import { mean, opened } from './streams.ts';

const traces = tracesDir();

describe.skipIf(traces === undefined)('the Azure arrivals (needs $FORESIZE_TRACES)', () => {
  const folder = join(traces ?? '', 'azure-v1-arrivals');

  it('are all read', async () => {
    const { batches, lengthMs } = await readAzureArrivals(folder, 1);
    // `zcat v1.dev.txt.gz | tr ',' '\n' | grep -c '|'` and `grep -c '[a-p]'`
    expect(batches).toHaveLength(53_109);
    expect(batches.reduce((n, b) => n + b.lifetimesMs.length, 0)).toBe(259_159);
    expect(lengthMs).toBe(1000 * 300_000);
  });

  it('agree with the fitted generator', async () => {
    const { batches } = await readAzureArrivals(folder, 1);
    const day = batches.filter((b) => b.atMs < DAY);
    const made = [];
    for (const batch of azureArrivals({ perDay: 75_000 }, 1)) {
      if (batch.atMs >= DAY) break;
      if (batch.atMs >= 0) made.push(batch);
    }
    const [real, fitted] = [day, made].map((list) => ({
      batches: list.length,
      single: mean(list.map((b) => Number(b.lifetimesMs.length === 1))),
      smallBeyondAnHour: mean(
        list
          .filter((b) => b.lifetimesMs.length <= 5)
          .flatMap((b) => b.lifetimesMs.map((ms) => Number(ms > DAY / 24))),
      ),
      oneCore: mean(list.map((b) => Number(b.sizes[0]!.cpu === 1))),
    }));
    // One day of the three and a half the fit is of.
    expect(Math.abs(fitted!.batches / real!.batches - 1)).toBeLessThan(0.15);
    for (const key of ['single', 'smallBeyondAnHour', 'oneCore'] as const) {
      expect(Math.abs(fitted![key] - real![key])).toBeLessThan(0.08);
    }
    expect(lifetimeAt(0.5, AZURE_SURVIVAL.small)).toBeGreaterThan(DAY / 24);
  });

  it('run as a workload, thinned', async () => {
    const section = {
      source: 'azure-arrivals',
      path: folder,
      share: 0.01,
      applications: [{ id: 'app', users: 5, vmsPerUser: 0 }],
    };
    const workload = await opened(section);
    const stream = workload.open();
    let vms = 0;
    for (let t = 0; t < workload.intervals; t++) vms += stream.arrivals(t).length;
    expect(vms).toBeGreaterThan(1300);
    expect(vms).toBeLessThan(4500);
  });
});
