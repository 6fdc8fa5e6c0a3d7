import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controllerSchema } from '../../core/config.ts';
import { DECISION_BYTES } from '../../core/decision-log.ts';
import { hypervisorParams } from '../../sim/cluster/hypervisor-model.ts';
import { telemetryParams } from '../../sim/cluster/sim-telemetry.ts';
import { vmModelParams } from '../../sim/cluster/vm-model.ts';
import { MeasureBook } from '../../sim/measures.ts';
import { simulate } from '../../sim/simulate.ts';
import type { Workload } from '../../sim/workload/types.ts';
import { tinyWorkload } from './tiny-workload.ts';

interface Options {
  policy: object;
  warmup?: number;
  telemetry?: object;
  hypervisor?: object;
  guards?: object;
  prices?: object;
}

async function run(workload: Workload, { policy, warmup = 0, ...rest }: Options) {
  const chunks: Buffer[] = [];
  const config = controllerSchema.parse({
    policies: { p: policy },
    policy: 'p',
    guards: { cooldownDown: 0, maxStepDown: 0.01, maxStepUp: 10, ...rest.guards },
    prices: rest.prices ?? {},
  });
  const simulation = await simulate({
    controller: config,
    workload,
    seed: 7,
    warmup,
    hypervisor: hypervisorParams.parse({ cpu: { latencyMs: 0 }, ...rest.hypervisor }),
    telemetry: telemetryParams.parse(rest.telemetry ?? {}),
    vms: vmModelParams.parse({}),
    record: 1,
    onDecisions: (bytes) => chunks.push(Buffer.from(bytes)),
  });
  const log = Buffer.concat(chunks);
  const decisions = Array.from({ length: log.length / DECISION_BYTES }, (_, i) => {
    const at = i * DECISION_BYTES;
    return `${log.readUInt32LE(at)} vm${log.readUInt32LE(at + 4)} ${log.readUInt8(at + 8)} ${log.readDoubleLE(at + 16)}->${log.readDoubleLE(at + 24)} ${log.readUInt8(at + 9)}`;
  });
  const book = new MeasureBook(simulation.score, config.prices);
  return {
    simulation,
    decisions,
    book,
    fleet: book.fleet(),
    sha: createHash('sha256').update(log).digest('hex'),
  };
}

const seed = { kind: 'threshold' };

describe('simulate', () => {
  it('writes an exact decision log: the seed policy on last values, one VM of 2 cores', async () => {
    // Tick t sees interval t - 1. 1.0 < 0.8 x 2: down to 1 at tick 1. 1.1 is inside 0.8..1.2: left.
    // At interval 3 demand 3 meets 1 core: usage 1, pressure 2/3, so 3 cores wanted. Interval 4 has 600 core-s of
    // backlog besides: usage 3, pressure 600 / 1500, so 5 cores wanted.
    const { decisions } = await run(tinyWorkload([{ demand: [1, 1, 1, 3, 3, 3] }], 6), { policy: seed });
    expect(decisions).toEqual(['1 vm0 0 2->1 1', '4 vm0 0 1->3 1', '5 vm0 0 3->5 1']);
  });

  it('acts and scores only after the warm-up', async () => {
    const { decisions, fleet } = await run(tinyWorkload([{ demand: [1, 1, 1, 1] }], 4), {
      policy: seed,
      warmup: 3,
    });
    expect(decisions).toEqual(['3 vm0 0 2->1 1']);
    expect(fleet.vmDays * 288).toBeCloseTo(1, 12);
    expect(fleet.resources.cpu?.footprint).toBe(1);
  });

  it('scores by hand: static, 2 cores, demand 1, 3, 1, 1', async () => {
    const prices = { cpuHour: 1.2, violationHour: 12 };
    const { fleet } = await run(tinyWorkload([{ demand: [1, 3, 1, 1] }], 4), {
      policy: { kind: 'static' },
      prices,
    });
    const cpu = fleet.resources.cpu!;
    expect(cpu.violationRate).toBe(0.25);
    expect(cpu.unmet).toBe(300);
    expect(cpu.footprint).toBe(2);
    // 300, 600, then 300 waiting + 300 demanded = 600, then 300: 1800 core-s in 1200 s.
    expect(cpu.usage).toBe(1.5);
    // p95 of usage {1, 2, 2, 1} by nearest rank is 2: no slack.
    expect(cpu.slack).toBe(0);
    expect(cpu.recovery).toEqual({ mean: 300, worst: 300, episodes: 1 });
    // A third of an hour at 2 cores x 1.2 = 0.8; 5 min short at 12 an hour = 1.
    expect(fleet.cost.allocation).toBeCloseTo(0.8, 12);
    expect(fleet.cost.penalty).toBeCloseTo(1, 12);
    expect(fleet.cost.total).toBeCloseTo(1.8, 12);
    expect(fleet.slowdown.worst).toBeCloseTo(1.5, 12);
  });

  it('gives the oracle just what will be needed', async () => {
    const demand = [1, 2.5, 0.5, 3, 1];
    const oracle = { kind: 'quantile', forecast: { model: 'oracle' }, horizon: 1, margin: 0, downBand: 0 };
    const { fleet, simulation } = await run(tinyWorkload([{ demand }], 5), { policy: oracle });
    expect(fleet.resources.cpu?.violationRate).toBe(0);
    // Tick 0 has seen no sample of the VM yet, so the first interval runs with the 2 cores requested.
    expect(simulation.recorded[0]?.resources.cpu?.allocation).toEqual([2, ...demand.slice(1)]);
    expect(fleet.resources.cpu?.footprint).toBeCloseTo((2 + 2.5 + 0.5 + 3 + 1) / 5, 12);
  });

  it('lets VMs come and go, and gives a slot to another VM without mixing them up', async () => {
    const vms = [{ demand: [1, 1] }, { demand: [1, 1, 1, 1, 1, 1] }, { demand: [0.5, 0.5, 0.5], from: 3 }];
    const { book, fleet, decisions } = await run(tinyWorkload(vms, 6), { policy: seed });
    const byVm = book.vms();
    expect(Object.keys(byVm)).toEqual(['vm0', 'vm1', 'vm2']);
    expect(Object.values(byVm).map((vm) => Math.round(vm.vmDays * 288))).toEqual([2, 6, 3]);
    expect(byVm['vm2']?.resources.cpu?.usage).toBe(0.5);
    expect(Math.round(fleet.vmDays * 288)).toBe(11);
    // vm2 takes over vm0's slot, and starts from its own request.
    expect(decisions).toContain('4 vm2 0 2->0.5 1');
  });

  it('is additive in cost: the fleet is the sum of its VMs, and of its applications', async () => {
    const vms = [
      { demand: [1, 3, 1, 2], applicationId: 'a' },
      { demand: [2, 2, 0.1, 0.3], applicationId: 'b' },
      { demand: [0.3, 1, 5, 1], applicationId: 'b' },
    ];
    const { book, fleet } = await run(tinyWorkload(vms, 4), {
      policy: seed,
      prices: { violationHour: 1, resize: 0.1 },
    });
    for (const parts of [book.vms(), book.by('applicationId'), book.by('userId')]) {
      const sum = Object.values(parts).reduce((total, part) => total + part.cost.total, 0);
      expect(sum).toBeCloseTo(fleet.cost.total, 12);
    }
    const days = book.days();
    expect(days.cost.reduce((a, b) => a + b)).toBeCloseTo(fleet.cost.total, 12);
  });

  it('meets failures that depend on the VM and the tick, not on the policy', async () => {
    const vms = Array.from({ length: 50 }, (_, i) => ({
      demand: Array.from({ length: 20 }, (_, t) => 1 + ((i + t) % 3)),
    }));
    const hypervisor = { cpu: { latencyMs: 0, failure: 0.2 } };
    const { simulation, fleet } = await run(tinyWorkload(vms, 20), { policy: seed, hypervisor });
    expect(simulation.log.failed).toBeGreaterThan(0);
    expect(fleet.resources.cpu?.failedResizes).toBe(simulation.log.failed);
    expect(Math.abs(simulation.log.failed / simulation.log.intents - 0.2)).toBeLessThan(0.06);
  });

  it('gives the same bytes twice, with noise and loss, and others with another seed', async () => {
    const vms = Array.from({ length: 20 }, (_, i) => ({
      demand: Array.from({ length: 40 }, (_, t) => 1 + Math.abs(((i * 7 + t) % 11) - 5) / 5),
    }));
    const options = { policy: seed, telemetry: { noise: 0.1, loss: 0.05 } };
    const a = await run(tinyWorkload(vms, 40), options);
    const b = await run(tinyWorkload(vms, 40), options);
    expect(a.decisions.length).toBeGreaterThan(20);
    expect(a.sha).toBe(b.sha);
    const c = await run(tinyWorkload(vms, 40), { ...options, telemetry: { noise: 0.11, loss: 0.05 } });
    expect(c.sha).not.toBe(a.sha);
  });

  it('never lets the core read a sample from the future', { timeout: 60_000 }, async () => {
    // Two demands that are the same up to an interval must be decided alike up to its end, whatever comes after.
    const cores = fc.double({ min: 0, max: 6, noNaN: true });
    const intervals = fc.array(cores, { minLength: 4, maxLength: 12 });
    const policy = fc.constantFrom(seed, { kind: 'quantile' }, { kind: 'vpa' }, { kind: 'autopilot-window' });
    await fc.assert(
      fc.asyncProperty(intervals, intervals, intervals, policy, async (head, one, two, kind) => {
        const until = (decisions: string[]) =>
          decisions.filter((line) => Number(line.split(' ')[0]) <= head.length);
        const length = head.length + Math.min(one.length, two.length);
        const decide = async (tail: number[]) =>
          until(
            (
              await run(tinyWorkload([{ demand: [...head, ...tail].slice(0, length) }], length), {
                policy: kind,
              })
            ).decisions,
          );
        expect(await decide(one)).toEqual(await decide(two));
      }),
      { numRuns: 40 },
    );
  });

  it('keeps every allocation within its bounds, whatever is demanded', { timeout: 60_000 }, async () => {
    const demand = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(demand, { minLength: 1, maxLength: 4 }), async (demands) => {
        const vms = demands.map((d) => ({ demand: [...d, ...Array<number>(20 - d.length).fill(0)] }));
        const { simulation } = await run(tinyWorkload(vms, 20), {
          policy: { kind: 'quantile', margin: 0.5 },
        });
        for (const { resources } of simulation.recorded) {
          for (const cores of resources.cpu!.allocation) {
            expect(cores).toBeGreaterThanOrEqual(0.1);
            expect(cores).toBeLessThanOrEqual(8);
          }
        }
      }),
      { numRuns: 30 },
    );
  });
});
