import { describe, expect, it } from 'vitest';
import { controllerSchema } from '../../core/config.ts';
import { nominalColumn, OBSERVED_FIELDS, OBSERVED_MEASURES } from '../../core/observed.ts';
import { hypervisorParams } from '../../sim/cluster/hypervisor-model.ts';
import { telemetryParams } from '../../sim/cluster/sim-telemetry.ts';
import { vmModelParams } from '../../sim/cluster/vm-model.ts';
import { simulate } from '../../sim/simulate.ts';
import { type TinyVm, tinyWorkload } from '../sim/tiny-workload.ts';

interface Options {
  policy: object;
  warmup?: number;
  telemetry?: object;
  evidence?: boolean;
}

async function run(vms: readonly TinyVm[], intervals: number, { policy, evidence = true, ...more }: Options) {
  const bytes: number[] = [];
  const simulation = await simulate({
    controller: controllerSchema.parse({
      policies: { p: policy },
      policy: 'p',
      guards: { cooldownDown: 0, maxStepDown: 0.01 },
      // A core-hour for 3600 is a core-second for 1.
      prices: { cpuHour: 3600 },
    }),
    workload: tinyWorkload(vms, intervals),
    seed: 7,
    warmup: more.warmup ?? 0,
    hypervisor: hypervisorParams.parse({ cpu: { latencyMs: 0 } }),
    telemetry: telemetryParams.parse(more.telemetry ?? {}),
    vms: vmModelParams.parse({}),
    record: 0,
    evidence,
    onDecisions: (log) => bytes.push(...log),
  });
  return { bytes, days: simulation.evidence?.days ?? [], evidence: simulation.evidence };
}

const column = (name: string, side: 'numerator' | 'denominator' = 'numerator') =>
  OBSERVED_MEASURES.find((measure) => measure.name === name)![side];
const sum = (days: readonly { sums: Float64Array }[], at: number) =>
  days.reduce((total, { sums }) => total + sums[at]!, 0);

describe('what a live daemon could see', () => {
  it('by hand: threshold on last values, one VM of 2 cores that wants 1, 1, 1, 3, 3, 3', async () => {
    // Ticks 1 to 5 see intervals 0 to 4; nobody sees interval 5. Decisions: 2 -> 1 at tick 1, 1 -> 3 at 4, 3 -> 5 at 5
    // (see test/sim/simulate.test.ts). Allocation at those ticks, before what they decide: 2, 1, 1, 1, 3.
    const { days } = await run([{ demand: [1, 1, 1, 3, 3, 3] }], 6, { policy: { kind: 'threshold' } });
    expect(days.map(({ vmId, day }) => [vmId, day])).toEqual([['vm0', 0]]);
    expect(sum(days, column('pressureRate', 'denominator'))).toBe(5 * 300);
    // Interval 3: 3 cores wanted, 1 had; interval 4: the backlog of 600 core-s waits. Both are under pressure.
    expect(sum(days, column('pressureRate'))).toBe(2 * 300);
    expect(sum(days, column('costRatio'))).toBe((2 + 1 + 1 + 1 + 3) * 300);
    expect(sum(days, column('costRatio', 'denominator'))).toBe(2 * 5 * 300);
    expect(sum(days, column('resizesPerVmDay'))).toBe(3);
    // Forecasts of ticks 1 to 4 for what ticks 2 to 5 estimate: 1, 1, 3 and 5. Last value: 1, 1, 1 and 3.
    expect(sum(days, column('coverage.cpu', 'denominator'))).toBe(4);
    expect(sum(days, column('coverage.cpu'))).toBe(2);
    expect(sum(days, nominalColumn(0))).toBe(4 * 0.5);
  });

  it('says nothing of what is not managed, and has no coverage without a forecast', async () => {
    const { days } = await run([{ demand: [1, 1, 1, 1] }], 4, { policy: { kind: 'static' } });
    expect(sum(days, column('coverage.memory', 'denominator'))).toBe(0);
    expect(sum(days, column('coverage.cpu', 'denominator'))).toBe(0);
    expect(sum(days, column('costRatio'))).toBe(sum(days, column('costRatio', 'denominator')));
  });

  it('leaves out the warm-up, and VM-ticks without a sample', async () => {
    const demand = Array.from({ length: 40 }, () => 1);
    const policy = { kind: 'threshold' };
    const whole = await run([{ demand }], 40, { policy, warmup: 10 });
    // Ticks 11 to 39.
    expect(sum(whole.days, column('pressureRate', 'denominator'))).toBe(29 * 300);
    const lossy = await run([{ demand }], 40, { policy, warmup: 10, telemetry: { loss: 0.3 } });
    expect(sum(lossy.days, column('pressureRate', 'denominator'))).toBeLessThan(29 * 300);
    expect(sum(lossy.days, column('coverage.cpu', 'denominator'))).toBeLessThanOrEqual(28);
  });

  it('keeps a row a VM and day, also of VMs that leave, and takes memory at its own quantile', async () => {
    const demand = (length: number) => Array.from({ length }, () => [1, 100, 0, 0]);
    const requested = [2, 1000, 0, 0] as const;
    const { days } = await run(
      [
        { demand: demand(600), requested },
        { demand: demand(100), from: 250, requested },
      ],
      600,
      { policy: { kind: 'quantile' } },
    );
    expect(days.map(({ vmId, day }) => `${vmId} ${day}`).sort()).toEqual(
      ['vm0 0', 'vm0 1', 'vm0 2', 'vm1 0', 'vm1 1'].sort(),
    );
    expect(days.every(({ sums }) => sums.length === OBSERVED_FIELDS)).toBe(true);
    const nominal = (r: number, name: string) =>
      sum(days, nominalColumn(r)) / sum(days, column(name, 'denominator'));
    expect(nominal(0, 'coverage.cpu')).toBeCloseTo(0.95, 12);
    expect(nominal(1, 'coverage.memory')).toBeCloseTo(0.99, 12);
  });

  it('changes no decision, and costs nothing when it is not asked for', async () => {
    const vms = [{ demand: Array.from({ length: 300 }, (_, t) => 1 + (t % 7) / 5) }];
    const policy = { kind: 'quantile', forecast: { model: 'holt-winters' } };
    const asked = await run(vms, 300, { policy });
    const not = await run(vms, 300, { policy, evidence: false });
    expect(asked.bytes).toEqual(not.bytes);
    expect(not.evidence).toBeUndefined();
  });
});
