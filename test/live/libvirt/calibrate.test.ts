import { describe, expect, it } from 'vitest';
import { OUTCOME } from '../../../core/intents.ts';
import type { ResizeReport } from '../../../live/libvirt/actuation.ts';
import { simulatorModel, summarise } from '../../../live/libvirt/calibrate.ts';

const report = (
  resource: ResizeReport['resource'],
  outcome: ResizeReport['outcome'],
  latencyMs: number,
  from = 1,
  granted = 2,
): ResizeReport => ({
  vmId: 'web',
  resource,
  from,
  to: granted,
  outcome,
  granted,
  latencyMs,
  problem: undefined,
  rollbackProblem: undefined,
});

const { applied, accepted, failed, refused } = OUTCOME;
const REPORTS = [
  ...[50, 40, 30, 20, 10].map((ms) => report('cpu', applied, ms)),
  report('cpu', refused, 0),
  report('memory', applied, 400, 1000, 900),
  report('memory', accepted, 2400, 1000, 900),
  report('memory', applied, 400, 900, 1000),
  report('memory', failed, 1),
  report('network', failed, 1),
];

describe('calibration', () => {
  it('takes quantiles of what worked and the share of what failed; what was refused was not tried', () => {
    expect(summarise(REPORTS)).toEqual({
      // Between 40 and 50: 10 + 0.9 * (50 - 10) = 46.
      cpu: { latencyMs: { p50: 30, p90: 46 }, failure: 0 },
      // 400, 400, 2400: 400 + 0.8 * 2000 = 2000.
      memory: { latencyMs: { p50: 400, p90: 2000 }, failure: 0.25 },
    });
  });

  it('gives the simulator medians, and for memory the rate a balloon shrinks at', () => {
    // Growth took 400 ms. A shrink by 100 MiB took 2 s more: 50 MiB/s. The other took no longer than growth.
    expect(simulatorModel(REPORTS)).toEqual({
      cpu: { latencyMs: 30, failure: 0 },
      memory: { latencyMs: 400, ratePerS: 50, failure: 0.25 },
    });
  });
});
