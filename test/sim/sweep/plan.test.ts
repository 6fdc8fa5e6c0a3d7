import { afterAll, describe, expect, it } from 'vitest';
import { bench, problemOf } from './fixture.ts';

const here = bench();
afterAll(here.remove);

describe('plan', () => {
  it('names points by their content', () => {
    const axes = { 'policies.threshold.up': [1.1, 1.3], policy: ['threshold', 'vpa'] };
    const { plan } = here.sweep({ axes });
    expect(plan.points.map(({ values }) => values)).toEqual([
      [1.1, 'threshold'],
      [1.1, 'vpa'],
      [1.3, 'threshold'],
      [1.3, 'vpa'],
    ]);
    // What threshold is set to is nothing to vpa: both are one run.
    expect(plan.points[1]!.id).toBe(plan.points[3]!.id);
    expect(new Set(plan.points.map(({ id }) => id)).size).toBe(3);
    expect(here.sweep({ axes }).runs()).toHaveLength(3);
    expect(here.sweep({ axes, name: 'Other', description: 'words' }).plan.id).toBe(plan.id);
    expect(here.sweep({ axes, set: { seed: 2 } }).plan.id).not.toBe(plan.id);
  });

  it('keeps runs of one workload together', () => {
    const sweep = here.sweep({ axes: { policy: ['static', 'vpa'], seed: [1, 2, 3] } });
    expect(sweep.workloads).toBe(3);
    expect(sweep.runs().map(({ values }) => values[1])).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it('sets several fields by one axis, lists by number, and whole sections', () => {
    const sweep = here.sweep({
      set: { duration: '2d' },
      axes: {
        size: { field: ['workload.applications.0.users', 'workload.applications.1.users'], values: [3] },
        'policies.threshold.forecast': [{ model: 'seasonal-naive', season: 'week' }],
      },
    });
    const { scenario } = sweep.task(sweep.runs()[0]!);
    expect(scenario.duration).toBe('2d');
    expect(scenario.record.vms).toBe(0);
    expect(scenario.workload).toMatchObject({ applications: [{ users: 3 }, { users: 3 }] });
    expect(scenario.policies['threshold']).toMatchObject({ forecast: { model: 'seasonal-naive' } });
    expect(Object.keys(scenario.policies)).toEqual(['threshold']);
  });

  it('runs every point of a design with every combination of cross', () => {
    const { plan } = here.sweep({
      design: { kind: 'latin-hypercube', samples: 5 },
      axes: { 'policies.threshold.up': { from: 1.1, to: 1.5 } },
      cross: { policy: ['threshold', 'oracle'], seed: [1, 2] },
    });
    expect(plan.points).toHaveLength(20);
    expect(new Set(plan.points.map(({ values }) => values[0])).size).toBe(5);
  });

  it('leaves out what breaks a constraint; random and sobol draw on', () => {
    const axes = {
      'policies.threshold.up': { from: 0.9, to: 1.1, steps: 3 },
      'policies.threshold.down': { from: 0.9, to: 1.1, steps: 3 },
    };
    const constraints = ['policies.threshold.down < policies.threshold.up'];
    expect(here.sweep({ axes, constraints }).plan.points.map(({ values }) => values)).toEqual([
      [1, 0.9],
      [1.1, 0.9],
      [1.1, 1],
    ]);
    for (const kind of ['random', 'sobol']) {
      expect(here.sweep({ axes, constraints, design: { kind, samples: 7 } }).plan.points).toHaveLength(7);
    }
  });
});

describe('bad input', () => {
  const cases: [string, object, string, string][] = [
    [
      'an axis that names no field',
      { axes: { seed: [1], 'policies.threshold.upp': [1] } },
      'SWEEP_AXIS_UNKNOWN_FIELD',
      'axes.policies.threshold.upp',
    ],
    [
      'an axis of a policy there is not',
      { axes: { 'policies.lstm.up': [1] } },
      'SWEEP_AXIS_UNKNOWN_FIELD',
      'lstm',
    ],
    ['an axis below a plain value', { axes: { 'seed.x': [1] } }, 'SWEEP_AXIS_UNKNOWN_FIELD', 'axes.seed.x'],
    [
      'an axis past the end of a list',
      { axes: { 'workload.applications.9.users': [1] } },
      'SWEEP_AXIS_UNKNOWN_FIELD',
      'axes.workload',
    ],
    [
      'a set that names no field',
      { axes: {}, set: { 'seed.x': 1 } },
      'SWEEP_AXIS_UNKNOWN_FIELD',
      'set.seed.x',
    ],
    ['an empty axis', { axes: { seed: [] } }, 'SWEEP_AXIS_EMPTY', 'axes.seed'],
    ['a grid over a range', { axes: { seed: { from: 1, to: 2 } } }, 'SWEEP_AXIS_NO_STEPS', 'axes.seed'],
    ['a wrong value', { axes: { seed: [1, -1] } }, 'SWEEP_POINT_INVALID', 'seed=-1'],
    ['an unknown policy', { axes: { policy: ['vpaa'] } }, 'SWEEP_POINT_INVALID', 'axes.policy'],
    [
      'thresholds that cross',
      { axes: { 'policies.threshold.down': [1.3] } },
      'SWEEP_POINT_INVALID',
      'axes.policies.threshold.down',
    ],
    [
      'constraints nothing meets',
      { axes: { seed: [1] }, constraints: ['seed > 1'] },
      'SWEEP_CONSTRAINTS_TOO_TIGHT',
      'constraints',
    ],
    [
      'constraints a random point never meets',
      { axes: { seed: [1] }, constraints: ['seed > 1'], design: { kind: 'random', samples: 2 } },
      'SWEEP_CONSTRAINTS_TOO_TIGHT',
      'constraints',
    ],
    [
      'a constraint on nothing',
      { axes: { seed: [1] }, constraints: ['sed > 1'] },
      'SWEEP_CONSTRAINT',
      'constraints',
    ],
    ['a scenario that is not there', { axes: {}, scenario: 'no.yaml' }, 'SCENARIO_UNREADABLE', 'scenario'],
    ['an unknown design', { axes: {}, design: { kind: 'halton' } }, 'SWEEP_INVALID', 'design'],
    ['an unknown key', { axes: {}, axis: {} }, 'SWEEP_INVALID', 'axis'],
  ];
  it.each(cases)('%s', async (_, spec, code, place) => {
    const problem = await problemOf(() => here.sweep(spec));
    expect(problem.code).toBe(code);
    expect(problem.exitCode).toBe(2);
    expect(problem.where).toContain(place);
    if (code !== 'SWEEP_POINT_INVALID') expect(problem.where).toMatch(/sweep\.yaml:\d+/);
  });
});
