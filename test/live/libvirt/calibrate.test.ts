import { describe, expect, it } from 'vitest';
import { OUTCOME } from '../../../core/intents.ts';
import type { ResizeReport } from '../../../live/libvirt/actuation.ts';
import { summarise } from '../../../live/libvirt/calibrate.ts';

const report = (
  resource: ResizeReport['resource'],
  outcome: ResizeReport['outcome'],
  latencyMs: number,
): ResizeReport => ({
  vmId: 'web',
  resource,
  from: 1,
  to: 2,
  outcome,
  granted: 2,
  latencyMs,
  problem: undefined,
  rollbackProblem: undefined,
});

describe('summarise', () => {
  it('takes quantiles of what worked and the share of what failed; what was refused was not tried', () => {
    const model = summarise([
      ...[50, 40, 30, 20, 10].map((ms) => report('cpu', OUTCOME.applied, ms)),
      report('cpu', OUTCOME.refused, 0),
      report('memory', OUTCOME.accepted, 9000),
      report('memory', OUTCOME.failed, 1),
      report('network', OUTCOME.failed, 1),
    ]);
    // Between 40 and 50: 10 + 0.9 * (50 - 10) = 46.
    expect(model).toEqual({
      cpu: { latencyMs: { p50: 30, p90: 46 }, failure: 0 },
      memory: { latencyMs: { p50: 9000, p90: 9000 }, failure: 0.5 },
    });
  });
});
