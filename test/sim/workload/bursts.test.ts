import { describe, expect, it } from 'vitest';
import { CPU } from '../../../core/model.ts';
import { generated, mean, record, series } from './streams.ts';

describe('bursts', () => {
  it('come, last and rise as a two-state Markov chain says', async () => {
    const bursts = { every: '4h', lasts: '1h', height: 3 };
    const intervals = 5000;
    const vms = record(await generated([{ bursts, level: 0.05, vmsPerUser: 40 }], intervals));
    const relative = vms.map((vm) => {
      const cpu = series(vm, CPU);
      const quiet = Math.min(...cpu);
      return cpu.map((x) => x / quiet);
    });
    const busy = relative.flatMap((x) => x.map((v) => (v > 1.0001 ? 1 : 0)));
    // 1 h of every 5 h; 40 x 5000 intervals hold 40 x 83 bursts, a standard error below 0.004
    expect(mean(busy)).toBeCloseTo(0.2, 1);
    expect(Math.abs(mean(busy) - 0.2)).toBeLessThan(0.012);
    // 1 + 0.2 x (3 - 1) = 1.4 times the quiet load
    expect(mean(relative.flat())).toBeCloseTo(1.4, 1);
    // Each from 1 + 2 x 0.5 to 1 + 2 x 1.5, the same height from its start to its end.
    const heights = relative.flat().filter((x) => x > 1.0001);
    expect(Math.min(...heights.slice(0, 5000))).toBeGreaterThan(1.999);
    expect(Math.max(...heights.slice(0, 5000))).toBeLessThan(4.001);
    // Seen every 5 minutes a burst lasts 1 / P(it ends within an interval), where
    // P = 4/5 (1 - exp(-5 (1/240 + 1/60))) = 0.0792: 12.6 intervals.
    const starts = relative.reduce(
      (n, x) => n + x.filter((v, i) => v > 1.0001 && (i === 0 || x[i - 1]! <= 1.0001)).length,
      0,
    );
    expect(busy.filter((b) => b === 1).length / starts).toBeGreaterThan(11.5);
    expect(busy.filter((b) => b === 1).length / starts).toBeLessThan(13.7);
  });

  it('are higher for a bursty user', async () => {
    const bursts = { every: '2h', lasts: '1h', height: 2 };
    const users = [
      { id: 'calm', burstiness: 0.5 },
      { id: 'wild', burstiness: 2 },
    ];
    const vms = record(await generated([{ bursts, level: 0.05, users, vmsPerUser: 10 }], 3000));
    const extra = (user: string) =>
      mean(
        vms
          .filter((vm) => vm.arrival.spec.userId === user)
          .map((vm) => mean(series(vm, CPU)) / Math.min(...series(vm, CPU)) - 1),
      );
    // A third of the time, 0.5 x 1 and 2 x 1 above the quiet load.
    expect(extra('calm')).toBeCloseTo(0.5 / 3, 1);
    expect(extra('wild') / extra('calm')).toBeGreaterThan(3.5);
    expect(extra('wild') / extra('calm')).toBeLessThan(4.5);
  });
});
