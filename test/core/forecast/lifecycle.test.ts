import { describe, expect, it } from 'vitest';
import { Fleet } from '../../../core/fleet.ts';
import { Conformal } from '../../../core/forecast/conformal.ts';
import { Hierarchy } from '../../../core/forecast/hierarchy.ts';
import { RetrainSchedule } from '../../../core/forecast/retrain-schedule.ts';
import { Retrained, type RetrainOptions } from '../../../core/forecast/retrained.ts';
import type {
  FitFailure,
  FittedShape,
  ShapeModel,
  TrainingBatch,
} from '../../../core/forecast/shape-model.ts';
import { TrainingSeries } from '../../../core/forecast/training-series.ts';
import { CPU } from '../../../core/model.ts';
import { cpuOnly, DAY_TICKS, Stand } from './harness.ts';

/** Fits the mean of each series, as a flat shape; what it does instead is for the test to say. */
class Means implements ShapeModel {
  readonly name = 'means';
  readonly version = 1;
  readonly parameters = {};
  readonly batches: TrainingBatch[] = [];
  instead: ((mean: number) => FittedShape | FitFailure) | undefined;

  fit(batch: TrainingBatch): (FittedShape | FitFailure)[] {
    this.batches.push(batch);
    return Array.from({ length: batch.count }, (_, k) => {
      const series = batch.values.subarray(k * batch.length, (k + 1) * batch.length).filter((v) => v >= 0);
      const mean = series.reduce((a, b) => a + b, 0) / series.length;
      return this.instead?.(mean) ?? flat(mean);
    });
  }

  parse(saved: unknown): FittedShape {
    return flat(saved as number);
  }
}

const flat = (value: number): FittedShape => ({ loss: 0, at: () => value, save: () => value });

const OPTIONS: RetrainOptions = {
  sampleTicks: 3,
  windowDays: 2,
  minDays: 1,
  retrainTicks: DAY_TICKS,
  fitsPerTick: 4,
};

describe('retrain schedule', () => {
  it('spreads first trainings over a quarter of the interval and keeps to its budget', () => {
    const schedule = new RetrainSchedule(100, 2);
    schedule.grow(10);
    for (let row = 0; row < 10; row++) schedule.start(row, 0);
    const seen = new Map<number, number>();
    for (let t = 0; t < 40; t++) {
      const taken = schedule.take(t);
      expect(taken.length).toBeLessThanOrEqual(2);
      for (const row of taken) seen.set(row, t);
    }
    expect(seen.size).toBe(10);
    expect(Math.max(...seen.values())).toBeLessThanOrEqual(25);
    expect(schedule.waiting(40)).toBe(0);
    for (const [row, t] of seen) expect(schedule.due(row)).toBe(t + 100);
  });

  it('lets who does not fit wait, the longest due first', () => {
    const schedule = new RetrainSchedule(100, 1);
    schedule.grow(3);
    schedule.set(0, 5);
    schedule.set(1, 3);
    schedule.set(2, 4);
    expect([schedule.take(5), schedule.waiting(5)]).toEqual([[1], 2]);
    expect([schedule.take(6), schedule.take(7), schedule.take(8)]).toEqual([[2], [0], []]);
  });
});

describe('training series', () => {
  it('are means over VMs and ticks, and over pairs for the parents', () => {
    const fleet = new Fleet();
    const rows = fleet.register(new Hierarchy(fleet));
    const zero = [0, 0, 0, 0] as const;
    for (const userId of ['u', 'v']) {
      fleet.admit({ vmId: userId, applicationId: 'a', userId, requested: zero, min: zero, max: zero }, 0);
    }
    const series = new TrainingSeries(rows, 2, 3);
    const out = new Float64Array(2);
    for (let t = 0; t < 4; t++) {
      series.add(2, CPU, t);
      if (t < 2) series.add(3, CPU, 10);
      series.tick(t);
    }
    series.copy(2, CPU, 2, out, 0);
    expect(Array.from(out)).toEqual([0.5, 2.5]);
    series.copy(3, CPU, 2, out, 0);
    expect(Array.from(out)).toEqual([10, Number.NaN]);
    series.copy(1, CPU, 2, out, 0);
    // (0 + 1 + 10 + 10) / 4, then only the first pair
    expect(Array.from(out)).toEqual([5.25, 2.5]);
    expect([series.available(2), series.last(3), series.available(0)]).toEqual([2, 0, 2]);
  });
});

describe('a retrained model', () => {
  function stand(model: ShapeModel, options: Partial<RetrainOptions> = {}) {
    return new Stand((ctx) => new Retrained(model, { ...OPTIONS, ...options }, ctx));
  }

  it('is last-value until something is known, from the first sample on', async () => {
    const s = stand(new Means());
    const slot = s.admit({ vmId: 'a' });
    expect(s.path(slot, CPU, 0.5, 3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    await s.tick(cpuOnly(() => 1.5));
    expect(s.path(slot, CPU, 0.5, 3)).toEqual([1.5, 1.5, 1.5]);
  });

  it('is trained once a day on the window, and not on VMs that have gone', async () => {
    const model = new Means();
    const s = stand(model);
    s.admit({ vmId: 'a' });
    await s.run(
      4 * DAY_TICKS,
      cpuOnly((t) => 1 + (t % 7)),
    );
    expect(model.batches.map((b) => b.length)).toEqual([96, 192, 192]);
    s.fleet.retire('a');
    await s.run(
      3 * DAY_TICKS,
      cpuOnly(() => 1),
    );
    // Once more for the hours since the last training, and then no more.
    expect(model.batches.length).toBe(4);
    expect(s.forecaster.health()).toMatchObject({ fits: 4, failures: 0, waiting: 0 });
  });

  it('hands down shapes: pair, else application, else global', async () => {
    const model = new Means();
    const s = stand(model);
    s.admit({ vmId: 'a', applicationId: 'x', userId: 'u' });
    s.admit({ vmId: 'b', applicationId: 'y', userId: 'u' });
    await s.run(
      1.5 * DAY_TICKS,
      cpuOnly((_, slot) => (slot === 0 ? 1 : 2)),
    );
    const { rows } = s.forecaster;
    const rowOf = (slot: number): number => rows.row[slot]!;
    // Requests are 4 cores: 1/4 and 2/4.
    expect(s.forecaster.shapeFor(rowOf(0), CPU)!.at(0)).toBeCloseTo(0.25, 9);
    // A new user of application y has the shape of y's only pair; a new application has that of all.
    const c = s.admit({ vmId: 'c', applicationId: 'y', userId: 'v' });
    const d = s.admit({ vmId: 'd', applicationId: 'z', userId: 'v' });
    expect(s.forecaster.shapeFor(rowOf(c), CPU)!.at(0)).toBeCloseTo(0.5, 9);
    expect(s.forecaster.shapeFor(rowOf(d), CPU)!.at(0)).toBeCloseTo(0.375, 9);
    // And a forecast in its own unit before its first sample.
    expect(s.path(c, CPU, 0.5, 1)[0]).toBeCloseTo(2, 6);
  });

  it('keeps the last good model when a fit fails or runs away, and says so', async () => {
    const model = new Means();
    const s = stand(model);
    const slot = s.admit({ vmId: 'a', userId: 'u' });
    await s.run(
      1.5 * DAY_TICKS,
      cpuOnly(() => 2),
    );
    const row = s.forecaster.rows.row[slot]!;
    const good = s.forecaster.shapeFor(row, CPU);
    model.instead = () => ({ failed: 'no luck' });
    await s.run(
      DAY_TICKS,
      cpuOnly(() => 2),
    );
    model.instead = () => flat(Number.NaN);
    await s.run(
      DAY_TICKS,
      cpuOnly(() => 2),
    );
    model.instead = (mean) => flat(20 * mean);
    await s.run(
      DAY_TICKS,
      cpuOnly(() => 2),
    );
    expect(s.forecaster.shapeFor(row, CPU)).toBe(good);
    const health = s.forecaster.health();
    expect(health.failures).toBe(3);
    expect(health.recent.map((f) => f.reason)).toEqual([
      'no luck',
      'forecasts that are not finite',
      'a forecast of 20 times the largest sample',
    ]);
    expect(health.recent[0]).toMatchObject({ applicationId: 'app', userId: 'u', resource: 'cpu' });
  });

  it('does the same work whatever is asked of it in between', async () => {
    const paths: number[][] = [];
    for (const asks of [0, 3]) {
      const s = new Stand((ctx) => new Conformal(new Retrained(new Means(), OPTIONS, ctx), [0.5], ctx));
      const slot = s.admit({ vmId: 'a' });
      for (let t = 0; t < 1.5 * DAY_TICKS; t++) {
        await s.tick(cpuOnly((u) => 1 + ((u * 7) % 5) / 5));
        for (let k = 0; k < asks; k++) s.predict(6 + k);
      }
      paths.push(s.path(slot, CPU, 0.9));
    }
    expect(paths[0]).toEqual(paths[1]);
  });
});
