import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../core/duration.ts';
import { bundled } from './bundled.ts';
import { opened } from './streams.ts';

describe('bundled scenarios', () => {
  it.each([
    'cycles',
    'bursts',
    'flash-crowd',
    'trends-and-regimes',
    'batch-deadlines',
    'correlated-tenants',
    'arrivals',
    'personal',
  ])('%s has tens to hundreds of VMs and a demand they could ask for', async (name) => {
    const { workload, tick, duration } = bundled(name);
    const intervals = parseDuration(duration as string) / parseDuration(tick as string);
    const opening = await opened(workload, intervals);
    const stream = opening.open();
    const all = stream.arrivals(0);
    // Those that stay for the day looked at.
    const arrivals = all.filter(({ until }) => until >= 288);
    expect(all.length).toBeGreaterThanOrEqual(25);
    expect(all.length).toBeLessThan(1000);
    const n = arrivals.length;
    const numbers = Int32Array.from(arrivals, ({ vm }) => vm);
    const slots = Int32Array.from(arrivals.keys());
    const demand = new Float64Array(n * 4);
    const peak = new Float64Array(n * 4);
    for (let t = 0; t < 288; t++) {
      if (t > 0) stream.arrivals(t);
      stream.demand(t, n, numbers, slots, demand);
      demand.forEach((x, i) => {
        peak[i] = Math.max(peak[i]!, x);
      });
    }
    arrivals.forEach(({ spec }, k) => {
      expect(peak[k * 4]! / spec.requested[0]).toBeLessThan(3);
      expect(peak[k * 4 + 1]! / spec.requested[1]).toBeLessThan(1.5);
      expect(spec.requested.every((x) => x > 0)).toBe(true);
    });
  });
});
