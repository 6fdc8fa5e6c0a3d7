import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OBSERVED_FIELDS, OBSERVED_MEASURES } from '../../../core/observed.ts';
import { inShare } from '../../../live/promote/scope.ts';
import { Stages } from '../../../live/promote/stages.ts';
import { problemOf } from '../../sim/sweep/fixture.ts';
import { bundle, plan } from './bundle.ts';

const DAY = 86_400;
const VMS = Array.from({ length: 40 }, (_, i) => `vm-${i}`);

interface Seen {
  days?: number;
  pressed?: number;
  cost?: number;
  resizes?: number;
  covered?: number;
}

/** What `Observed` drains of a VM after some days; by default just what the simulator promised. */
function sums({ days = 1, pressed = 0.02, cost = 0.6, resizes = 20, covered = 0.95 }: Seen): Float64Array {
  const row = new Float64Array(OBSERVED_FIELDS);
  const put = (name: string, numerator: number, denominator: number) => {
    const measure = OBSERVED_MEASURES.find((one) => one.name === name)!;
    row[measure.numerator] = numerator;
    row[measure.denominator] = denominator;
  };
  put('pressureRate', pressed * days * DAY, days * DAY);
  put('costRatio', cost * days, days);
  put('resizesPerVmDay', resizes * days, days * DAY);
  put('coverage.cpu', covered * 288 * days, 288 * days);
  return row;
}

class Trial {
  at = 1_000_000;
  readonly clock = { now: () => this.at };
  readonly stages: Stages;

  constructor(more: object = {}, of = bundle(plan(more)), saved?: { at: number; state: unknown }) {
    this.at = saved?.at ?? this.at;
    this.stages = saved ? Stages.restore(of, this.clock, saved.state) : new Stages(of, this.clock);
    this.stages.setFleet(VMS);
  }

  /** Lets a day go by in which every VM is seen. */
  day(seen: Seen = {}) {
    this.at += DAY * 1000;
    for (const vmId of VMS) this.stages.observe(vmId, sums(seen));
    return this.stages.judge();
  }

  acting(): string[] {
    return VMS.filter((vmId) => this.stages.mayAct(vmId));
  }

  check(name: string) {
    return this.stages.view().checks.find(({ measure }) => measure === name)!;
  }
}

describe('the stages of a bundle', () => {
  it('go from shadow by canary to all, by hand', () => {
    const trial = new Trial();
    expect([trial.stages.stage, trial.acting(), trial.stages.view().inScope]).toEqual(['shadow', [], 0]);
    expect(trial.day()).toEqual([]);
    expect(trial.stages.advance('alice')).toEqual([
      {
        at: trial.at,
        kind: 'stage',
        text: 'shadow -> canary by alice: after 40 VM-days',
        from: 'shadow',
        to: 'canary',
        by: 'alice',
      },
    ]);
    const canary = trial.acting();
    expect(canary.length).toBeGreaterThan(4);
    expect(canary.length).toBeLessThan(24);
    expect(trial.stages.view()).toMatchObject({ name: 'canary', since: trial.at, inScope: canary.length });
    trial.day();
    trial.stages.advance('alice');
    expect([trial.stages.stage, trial.acting()]).toEqual(['all', VMS]);
  });

  it('go on by themselves only where that is configured and every measure holds', () => {
    const trial = new Trial({ automatic: true, minVmDays: 100 });
    expect([trial.day(), trial.day()]).toEqual([[], []]);
    expect(trial.day().map(({ text }) => text)).toEqual([
      'shadow -> canary by foresize: every measure holds after 120 VM-days',
    ]);
    const byHand = new Trial({ minVmDays: 100 });
    for (let i = 0; i < 9; i++) expect(byHand.day()).toEqual([]);
  });

  it('judge only the forecast in shadow, where nothing is resized', () => {
    const trial = new Trial();
    trial.day({ cost: 1, pressed: 0.5 });
    expect(trial.check('costRatio')).toMatchObject({ live: 1, low: 0.5, high: 0.7, holds: null });
    expect(trial.check('coverage.cpu')).toMatchObject({ low: 0.94, high: 0.96, holds: true });
    expect(trial.check('coverage.cpu').live).toBeCloseTo(0.95, 12);
  });

  it.each([
    ['pressureRate', { pressed: 0.031 }, { pressed: 0.001 }],
    ['costRatio', { cost: 0.71 }, { cost: 0.2 }],
    ['resizesPerVmDay', { resizes: 31 }, { resizes: 0 }],
    ['coverage.cpu', { covered: 0.93 }, { covered: 1 }],
  ])('roll back on a breach of %s, and on its bad side only', (measure, bad, better) => {
    for (const goal of ['canary', 'all'] as const) {
      const trial = new Trial();
      while (trial.stages.stage !== goal) {
        trial.day();
        trial.stages.advance('alice');
      }
      expect(trial.day(better)).toEqual([]);
      expect(trial.check(measure).holds).toBe(true);
      // The window still holds the good day: it takes some more bad ones.
      let events = trial.day(bad);
      for (let i = 0; i < 30 && events.length === 0; i++) events = trial.day(bad);
      expect(events.map(({ kind, from, to, by }) => [kind, from, to, by])).toEqual([
        ['alarm', goal, 'shadow', 'foresize'],
        ['stage', goal, 'shadow', 'foresize'],
      ]);
      expect(events[0]!.text).toMatch(new RegExp(`^${measure} is .* not within .* VM-days of ${goal}$`));
      expect([trial.stages.stage, trial.acting()]).toEqual(['shadow', []]);
    }
  });

  it('do not go on by themselves after a breach until somebody has advanced them', () => {
    const trial = new Trial({ automatic: true });
    trial.day();
    trial.day({ cost: 2 });
    expect(trial.stages.stage).toBe('shadow');
    for (let i = 0; i < 5; i++) expect(trial.day()).toEqual([]);
    trial.stages.advance('alice');
    expect(trial.day().map(({ to }) => to)).toEqual(['all']);
  });

  it('tell a breach in shadow once, and refuse to go on', async () => {
    const trial = new Trial();
    expect(trial.day({ covered: 0.5 }).map(({ kind, to }) => [kind, to])).toEqual([['alarm', 'shadow']]);
    expect(trial.day({ covered: 0.5 })).toEqual([]);
    expect((await problemOf(() => trial.stages.advance('alice'))).code).toBe('STAGE_BREACHED');
  });

  it('wait for enough VM-days, however bad the first look', async () => {
    const trial = new Trial({ minVmDays: 1000 });
    expect(trial.day({ covered: 0 })).toEqual([]);
    expect(trial.check('coverage.cpu')).toMatchObject({ live: 0, holds: null });
    const { code, exitCode, text } = await problemOf(() => trial.stages.advance('alice'));
    expect([code, exitCode]).toEqual(['STAGE_TOO_SOON', 4]);
    expect(text).toContain('40 of 1000 VM-days');
  });

  it('do not take for a breach what the spread of the VMs explains', () => {
    const stages = new Stages(bundle(plan()), { now: () => 0 });
    stages.setFleet(VMS);
    // 20 of 40 VMs at .80, 20 at 1: .9 in all. Residuals of .1 each: error = sqrt(40 x .01 x 40/39) / 40 = .016, and .94 is
    // 2.5 of it away: a breach. With 4 VMs the error is sqrt(4 x .01 x 4/3) / 4 = .058: .94 is within.
    VMS.slice(0, 4).forEach((vmId, i) => {
      stages.observe(vmId, sums({ covered: i % 2 === 0 ? 0.8 : 1 }));
    });
    expect(stages.judge()).toEqual([]);
    expect(stages.view().checks.at(-1)).toMatchObject({ live: expect.closeTo(0.9, 12), holds: null });
    VMS.slice(4).forEach((vmId, i) => {
      stages.observe(vmId, sums({ covered: i % 2 === 0 ? 0.8 : 1 }));
    });
    expect(stages.judge()).toHaveLength(1);
  });

  it('forget what is older than two windows', () => {
    const trial = new Trial({ window: '2d' });
    trial.day();
    trial.stages.advance('alice');
    trial.day();
    trial.stages.advance('alice');
    // Ever so long good: then ten days are enough to notice, where all of it together would hide them.
    for (let i = 0; i < 60; i++) expect(trial.day({ pressed: 0 })).toEqual([]);
    let days = 0;
    while (trial.stages.stage === 'all' && days < 10) {
      trial.day({ pressed: 0.09 });
      days++;
    }
    expect(days).toBeLessThanOrEqual(4);
  });

  it('have a canary in a fleet of which the share holds none, and keep it', () => {
    const trial = new Trial({ canaryShare: 1e-9 });
    trial.day();
    trial.stages.advance('alice');
    const [only, ...none] = trial.acting();
    expect(none).toEqual([]);
    trial.stages.setFleet([...VMS, ...Array.from({ length: 500 }, (_, i) => `later-${i}`)]);
    expect(trial.stages.mayAct(only!)).toBe(true);
    expect(trial.stages.view().inScope).toBe(1);
    trial.stages.setFleet(VMS.filter((vmId) => vmId !== only));
    expect(trial.stages.view().inScope).toBe(1);
  });

  it('end at all', async () => {
    const trial = new Trial();
    trial.day();
    trial.stages.advance('a');
    trial.day();
    trial.stages.advance('a');
    trial.day();
    expect((await problemOf(() => trial.stages.advance('a'))).code).toBe('STAGE_LAST');
  });

  it('say what is wrong with a state that is not theirs', async () => {
    const trial = new Trial();
    const other = bundle(plan(), 'c'.repeat(64));
    const restore = (state: unknown, of = bundle(plan())) =>
      problemOf(() => Stages.restore(of, trial.clock, state));
    expect((await restore(trial.stages.serialise(), other)).code).toBe('STAGES_OTHER_BUNDLE');
    expect((await restore({ stage: 'all' })).code).toBe('STAGES_CORRUPT');
    expect((await restore(null)).code).toBe('STAGES_CORRUPT');
  });
});

type Step = 'good' | 'bad' | 'advance' | 'rollBack' | 'restart';
const steps = fc.array(
  fc.constantFrom<Step>('good', 'good', 'good', 'bad', 'advance', 'rollBack', 'restart'),
  {
    maxLength: 30,
  },
);

describe('whatever happens', () => {
  it('no VM acts outside of its stage, rollback is always open, and a restart changes nothing', () => {
    fc.assert(
      fc.property(
        steps,
        fc.boolean(),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (path, automatic, share) => {
          const of = bundle(plan({ automatic, canaryShare: share, minVmDays: 30 * share }));
          let trial = new Trial({}, of);
          for (const step of path) {
            if (step === 'good') trial.day();
            else if (step === 'bad') trial.day({ cost: 3, pressed: 0.9 });
            else if (step === 'advance') {
              try {
                trial.stages.advance('alice');
              } catch {
                // Too soon, breached or the last: it stays where it is.
              }
            } else if (step === 'rollBack') trial.stages.rollBack('because', 'alice');
            else {
              const { at } = trial;
              const state = JSON.parse(JSON.stringify(trial.stages.serialise()));
              const before = trial.stages.view();
              trial = new Trial({}, of, { at, state });
              expect(trial.stages.serialise()).toEqual(state);
              expect(trial.stages.view()).toEqual(before);
            }
            const acting = trial.acting();
            const { stage } = trial.stages;
            const inside = VMS.filter((vmId) => inShare(vmId, of.id, share));
            if (stage === 'shadow') expect(acting).toEqual([]);
            else if (stage === 'all') expect(acting).toEqual(VMS);
            else if (inside.length > 0) expect(acting).toEqual(inside);
            else expect(acting).toHaveLength(1);
            const back = Stages.restore(of, trial.clock, trial.stages.serialise());
            back.rollBack('because', 'alice');
            expect([back.stage, VMS.filter((vmId) => back.mayAct(vmId))]).toEqual(['shadow', []]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a larger share holds every VM of a smaller one, and about its size', () => {
    const many = Array.from({ length: 2000 }, (_, i) => `0a1b-${i}`);
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, share, fc.string(), (a, b, id) => {
        const [small, large] = a < b ? [a, b] : [b, a];
        const held = many.filter((vmId) => inShare(vmId, id, small));
        expect(held.every((vmId) => inShare(vmId, id, large))).toBe(true);
        // Five standard deviations of a binomial.
        const slack = 5 * Math.sqrt(2000 * small * (1 - small)) + 1;
        expect(Math.abs(held.length - 2000 * small)).toBeLessThan(slack);
      }),
      { numRuns: 50 },
    );
  });
});
