import { describe, expect, it } from 'vitest';
import { controllerSchema } from '../../../core/config.ts';
import { SpotPrice } from '../../../core/cost/tariff.ts';
import type { SpotPrices } from '../../../core/prices.ts';
import type { Interruptible, SpotSetup } from '../../../sim/advisor/spot-market.ts';
import { hypervisorParams } from '../../../sim/cluster/hypervisor-model.ts';
import { telemetryParams } from '../../../sim/cluster/sim-telemetry.ts';
import { vmModelParams } from '../../../sim/cluster/vm-model.ts';
import { simulate } from '../../../sim/simulate.ts';
import type { BatchJob, Workload } from '../../../sim/workload/types.ts';
import { tinyWorkload } from '../tiny-workload.ts';

const TICK = 300;
const PRICES: SpotPrices = {
  price: 0.25,
  history: [0.25],
  volatility: 0,
  reversionHours: 1,
  noticeS: 30,
  interruptionsPerDay: 40,
  outageMinutes: 1,
};

const CHECKPOINTS: Interruptible = { checkpoint: { every: 600, takes: 60 }, restart: 120 };

/** A VM of 2 cores that is busy with one, for so many ticks, on spot capacity; with jobs, if any. */
async function onSpot(
  rule: Interruptible,
  prices: SpotPrices,
  ticks = 24,
  jobs: readonly BatchJob[] = [],
  seed = 5,
) {
  const plain = tinyWorkload([{ demand: new Array(ticks).fill(1) }], ticks);
  const workload: Workload = {
    ...plain,
    open: () => {
      const stream = plain.open();
      return { ...stream, jobs: (t) => jobs.filter(({ releaseMs }) => releaseMs === t * TICK * 1000) };
    },
  };
  const price = new SpotPrice(prices, 1, 0);
  const spot: SpotSetup = { prices, price, applications: new Map([['app', rule]]), seed };
  const controller = controllerSchema.parse({
    policies: { static: { kind: 'static' } },
    policy: 'static',
    prices: { cpuHour: 1 },
  });
  return simulate({
    controller,
    workload,
    seed: 1,
    warmup: 0,
    hypervisor: hypervisorParams.parse({}),
    telemetry: telemetryParams.parse({}),
    vms: vmModelParams.parse({}),
    spot,
    bill: {
      prices: controller.prices,
      reservations: [],
      hosts: 0,
      spot: { applications: new Set(['app']), price },
    },
    record: 0,
    onDecisions: () => {},
  });
}

/** CPU work served in all, core-s. */
const served = (score: { rows: Float64Array }) => score.rows[1]!;

describe('spot capacity', () => {
  it('costs its price for the time it is there', async () => {
    const { spot, bill } = await onSpot(CHECKPOINTS, PRICES);
    expect(spot!.interruptions).toBeGreaterThan(0);
    const there = (24 * TICK - spot!.awayS) / 3600;
    // 2 cores at 1 an hour, a quarter of it.
    expect(bill!.spot).toBeCloseTo(there * 2 * 0.25, 12);
    expect(bill!.onDemand).toBe(0);
  });

  it('never interrupted it only pays for checkpoints', async () => {
    const { spot, score } = await onSpot(CHECKPOINTS, { ...PRICES, interruptionsPerDay: 0 });
    expect(spot).toMatchObject({ interruptions: 0, awayS: 0, redone: 0 });
    // A minute in ten is spent on checkpoints: a tenth more work on a core.
    expect(spot!.checkpointing).toBeCloseTo(24 * TICK * 0.1, 9);
    expect(served(score)).toBeCloseTo(24 * TICK * 1.1, 2);
  });

  it('loses nothing where the notice is long enough for a checkpoint', async () => {
    const long = await onSpot(CHECKPOINTS, { ...PRICES, noticeS: 120 });
    expect(long.spot!.interruptions).toBeGreaterThan(0);
    expect(long.spot!.redone).toBe(0);
  });

  it('does again what was done since the last checkpoint', async () => {
    const short = await onSpot(CHECKPOINTS, PRICES);
    expect(short.spot!.redone).toBeGreaterThan(0);
    // A checkpoint every two ticks: at most one tick of two cores is lost at a time.
    expect(short.spot!.redone).toBeLessThanOrEqual(short.spot!.interruptions * TICK * 2);
    const none = await onSpot({ checkpoint: undefined, restart: 120 }, { ...PRICES, noticeS: 120 });
    expect(none.spot!.redone).toBeGreaterThan(short.spot!.redone);
  });

  it('by hand: one interruption, and the job is late by the time away, the restart and the work done again', async () => {
    // Draws are keyed by seed, VM and tick: with seed 10 there is one interruption in these two hours, at tick 6.
    const rule: Interruptible = { checkpoint: undefined, restart: 120 };
    const prices = { ...PRICES, interruptionsPerDay: 6, outageMinutes: 0.01 };
    const { spot } = await onSpot(rule, prices, 24, [], 10);
    expect(spot!.interruptions).toBe(1);
    const at = 6;
    expect(spot!.redone).toBe(at * TICK); // one core was busy in every tick before it
    expect(spot!.awayS).toBe(TICK);
    // The job is all the work of the first `at + 1` ticks. At the interruption `at` ticks of work are lost. A tick away,
    // then two cores: 120 s of restart, so (300 - 120) x 2 = 360 core-s in the first tick and 600 in each after.
    // To serve: at + 1 ticks of the job and, since the work is in order, all of it again from the beginning.
    const work = (at + 1) * TICK;
    const after = (work - 360) / 600; // ticks after the first one back
    const doneAt = at + 1 + 1 + after;
    const jobs = (deadlineTicks: number): BatchJob[] => [
      { vm: 0, releaseMs: 0, startMs: 0, deadlineMs: deadlineTicks * TICK * 1000, work, cores: 1 },
    ];
    const late = await onSpot(rule, prices, 24, jobs(doneAt - 0.05), 10);
    const inTime = await onSpot(rule, prices, 24, jobs(doneAt + 0.05), 10);
    expect(late.jobs).toEqual({ jobs: 1, missed: 1, impossible: 0 });
    expect(inTime.jobs).toEqual({ jobs: 1, missed: 0, impossible: 0 });
  });

  it('counts a deadline that is past already as impossible, not as missed', async () => {
    const job = { vm: 0, releaseMs: 0, startMs: 0, deadlineMs: 60_000, work: 600, cores: 1 };
    const { jobs } = await onSpot(CHECKPOINTS, { ...PRICES, interruptionsPerDay: 0 }, 24, [job]);
    expect(jobs).toEqual({ jobs: 1, missed: 0, impossible: 1 });
  });
});
