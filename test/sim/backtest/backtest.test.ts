import { describe, expect, it } from 'vitest';
import { forecastSchema } from '../../../core/config.ts';
import { pinball, QUANTILES, summarize } from '../../../sim/backtest/accuracy.ts';
import { backtest } from '../../../sim/backtest/backtest.ts';
import { pairAccuracies } from '../../../sim/backtest/paired-accuracy.ts';
import { tinyWorkload } from '../tiny-workload.ts';

const run = (
  demands: number[][],
  model: string,
  options: { horizon: number; warmup: number; every: number },
) =>
  backtest(
    tinyWorkload(
      demands.map((demand) => ({ demand })),
      demands[0]!.length,
    ),
    { name: model, config: forecastSchema.parse({ model }) },
    { seed: 1, ...options },
  );

it('pinball loss by hand', () => {
  // Quantile .9 forecast 10: actual 12 costs .9 x 2, actual 7 costs .1 x 3.
  expect([pinball(0.9, 10, 12), pinball(0.9, 10, 7)].map((x) => Number(x.toFixed(12)))).toEqual([1.8, 0.3]);
});

describe('backtest', () => {
  it('scores last-value by hand: 1, 2, 4, 7, 11, ... at horizon 2', async () => {
    // Tick t has seen interval t - 1. Origins at ticks 3 and 5; last values 4 and 11; actuals 7, 11 and 16, 22.
    const demand = [1, 2, 4, 7, 11, 16, 22, 29];
    const { accuracy } = await run([demand], 'last-value', { horizon: 2, warmup: 3, every: 2 });
    const summary = summarize(accuracy, 'cpu')!;
    expect(summary.points).toBe(4);
    // Errors 3, 7, 5, 11: mean 6.5. Scale: mean step up to tick 3 is (1 + 2) / 2 = 1.5.
    expect(summary.mase).toBeCloseTo(6.5 / 1.5, 12);
    // The median's pinball is half the absolute error; usage sums to 7 + 11 + 16 + 22 = 56.
    expect(summary.pinball[QUANTILES.indexOf(0.5)]).toBeCloseTo(3.25 / 1.5, 12);
    expect(summary.wql[QUANTILES.indexOf(0.5)]).toBeCloseTo((2 * 13) / 56, 12);
    expect(summary.coverage[QUANTILES.indexOf(0.5)]).toBe(0);
  });

  it('finds no loss in perfect foresight, and every actual value covered', async () => {
    const demand = Array.from({ length: 40 }, (_, t) => 1 + ((t * 7) % 5));
    const { accuracy } = await run([demand], 'oracle', { horizon: 3, warmup: 10, every: 4 });
    const summary = summarize(accuracy, 'cpu')!;
    expect([summary.mase, summary.width]).toEqual([0, 0]);
    expect(summary.coverage).toEqual([1, 1, 1, 1, 1]);
  });

  it('scores no VM by the values of another that took its slot', async () => {
    const workload = tinyWorkload([{ demand: [1, 1, 1, 1, 1] }, { demand: [5, 5, 5, 5, 5], from: 5 }], 10);
    const { accuracy } = await backtest(
      workload,
      { name: 'last-value', config: forecastSchema.parse({ model: 'last-value' }) },
      { seed: 1, horizon: 4, warmup: 2, every: 1 },
    );
    for (const row of accuracy.rows.cpu!) expect(row.absoluteError).toBe(0);
    expect(accuracy.vmIds).toEqual(['vm0', 'vm1']);
  });

  it('pairs two models on the same forecasts, with an interval that shows the better one', async () => {
    const demands = Array.from({ length: 12 }, (_, v) =>
      Array.from({ length: 600 }, (_, t) => 2 + ((t + v) % 2) + ((t * 13 + v * 7) % 11) / 20),
    );
    const options = { horizon: 2, warmup: 100, every: 3 };
    const models = [
      (await run(demands, 'last-value', options)).accuracy,
      (await run(demands, 'oracle', options)).accuracy,
    ];
    const [mase] = pairAccuracies(models, ['last-value'], { level: 0.95, resamples: 500, seed: 1 });
    expect(mase).toMatchObject({ model: 'oracle', reference: 'last-value', measure: 'mase', vms: 12 });
    expect(mase!.relative).toBeCloseTo(-1, 9);
    expect(mase!.high).toBeLessThan(0);
    expect(mase!.pHolm).toBeLessThan(0.01);
  });
});
