import { expect, it } from 'vitest';
import { forecastSchema } from '../../../core/config.ts';
import { summarize } from '../../../sim/backtest/accuracy.ts';
import { backtest } from '../../../sim/backtest/backtest.ts';
import { tinyWorkload } from '../../sim/tiny-workload.ts';

const DAY = 288;

/** Mean absolute scaled error over four VMs with a daily square wave of their own phase. */
async function mase(model: string): Promise<number> {
  const vms = Array.from({ length: 4 }, (_, v) => ({
    demand: Array.from({ length: 5 * DAY }, (_, t) => ((t + 60 * v) % DAY < 100 ? 1.6 : 0.4)),
  }));
  const { accuracy } = await backtest(
    tinyWorkload(vms, 5 * DAY),
    { name: model, config: forecastSchema.parse({ model }) },
    { seed: 1, horizon: 12, warmup: 3 * DAY, every: 7 },
  );
  const summary = summarize(accuracy, 'cpu')!;
  expect(Number.isFinite(summary.mase)).toBe(true);
  return summary.mase;
}

it('auto follows the candidate that knows the day: better than last-value by far', {
  timeout: 120_000,
}, async () => {
  expect(await mase('auto')).toBeLessThan(0.6 * (await mase('last-value')));
});
