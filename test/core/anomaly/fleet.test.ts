import { describe, expect, it } from 'vitest';
import { INJECTIONS } from './load.ts';
import { match, plan, run } from './run.ts';

// The figures in docs/anomalies.md come from here: the same seeds, 20 VMs a kind.
describe.each([
  { how: 'against its own past', withForecast: false },
  { how: 'against a forecast', withForecast: true },
])('the detector over a fleet, $how', ({ withForecast }) => {
  it('is silent through a calm month of 50 VMs', () => {
    expect(run(50, 30, 1, withForecast)).toEqual([]);
  });

  it('finds what goes wrong after three weeks, soon and with hardly a false alarm', () => {
    const days = 21;
    const planned = plan(5, days);
    const { byKind, falseAlarms, raised } = match(
      run(planned.length, days, 9, withForecast, planned),
      planned,
    );
    const found = [...byKind.values()].reduce((n, one) => n + one.found, 0);
    expect(found / (5 * INJECTIONS.length)).toBeGreaterThanOrEqual(0.95);
    expect(1 - falseAlarms.length / raised).toBeGreaterThanOrEqual(0.95);
    for (const name of ['runaway loop', 'noisy neighbour', 'traffic flood']) {
      expect(byKind.get(name)?.delay).toBeLessThanOrEqual(2);
    }
    // A leak of 0.6 % a tick shows when it has left the noise: 12 hours are 144 ticks.
    expect(byKind.get('leak')?.delay).toBeLessThanOrEqual(40);
  });
});
