import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { closestIssues } from '../../../core/issues.ts';
import { ARCHETYPES } from '../../../sim/workload/archetypes.ts';
import { ingredients } from '../../../sim/workload/ingredients.ts';
import { ingredientsOf } from '../../../sim/workload/population.ts';
import { workloadSchema } from '../../../sim/workload/schema.ts';

const issues = (section: object): string[] => {
  const parsed = workloadSchema.safeParse(section);
  return parsed.success ? [] : closestIssues(parsed.error).map((i) => `${i.path.join('.')}: ${i.message}`);
};
const generated = (application: object, more: object = {}) => ({
  source: 'generated',
  applications: [{ id: 'shop', ...application }],
  ...more,
});

describe('the workload section', () => {
  it('needs little', () => {
    expect(workloadSchema.parse(generated({}))).toMatchObject({
      applications: [{ id: 'shop', archetype: 'web', users: 1, vmsPerUser: 1 }],
      correlation: { application: 0.2, user: 0.2 },
      arrivals: { pattern: 'none' },
      bounds: { ceiling: 2 },
    });
    expect(workloadSchema.parse({ source: 'trace', path: 'x' })).toMatchObject({
      scale: 1,
      peakFactor: 1.25,
    });
  });

  it('takes an archetype as it is, and an ingredient that is named whole in its place', () => {
    const section = workloadSchema.parse(
      generated({ archetype: 'dev', bursts: { height: 7 }, noise: 'none', level: 0.5 }),
    );
    if (section.source !== 'generated') throw new Error('not generated');
    const made = ingredientsOf(section.applications[0]!);
    expect(made).toEqual({
      ...ARCHETYPES.dev,
      bursts: { every: '6h', lasts: '20m', height: 7 },
      noise: 'none',
      level: 0.5,
    });
  });

  it.each([
    [{ bursts: { evry: '1h' } }, 'applications.0.bursts: Unrecognized key: "evry"'],
    [{ speed: 1 }, 'applications.0: Unrecognized key: "speed"'],
    [{ bursts: { every: '0h' } }, 'applications.0.bursts.every: expected a duration above 0'],
    [{ bursts: { every: '-1h' } }, 'applications.0.bursts.every: expected a duration above 0'],
    [{ cycle: { peak: '-1h' } }, 'applications.0.cycle.peak: expected a duration that is not negative'],
    [{ noise: { persistence: '5 min' } }, 'applications.0.noise.persistence: expected a duration such as'],
    [{ jobs: { every: '1h', jitter: '2h' } }, 'applications.0.jobs.jitter: must not exceed every'],
    [{ users: [{ id: 'ana' }, { id: 'ana' }] }, "applications.0.users.1.id: 'ana' is there twice"],
    [{ bursts: { height: 'x' } }, 'applications.0.bursts.height: Invalid input: expected number'],
    [{ bursts: 'off' }, 'applications.0.bursts: expected "none", or expected object'],
    [{ id: 'a b' }, 'applications.0.id: expected letters'],
  ])('refuses %j', (application, problem) => {
    expect(issues(generated(application)).join('\n')).toContain(problem);
  });

  it('refuses what does not fit together', () => {
    expect(issues(generated({}, { correlation: { application: 0.7, user: 0.7 } }))).toEqual([
      'correlation: application and user together must not exceed 1',
    ]);
    expect(issues({ source: 'generated', applications: [{ id: 'a' }, { id: 'a' }] })).toEqual([
      "applications.1.id: 'a' is there twice",
    ]);
    expect(issues(generated({}, { arrivals: { pattern: 'poisson', rate: 3 } }))).toEqual([
      'arrivals: Unrecognized key: "rate"',
    ]);
    expect(issues({ source: 'trace', path: 'x', format: 'excel' })[0]).toMatch(/^format: Invalid option/);
    expect(issues({ source: 'crystal ball' })[0]).toMatch(/^source: Invalid/);
  });

  it('is a JSON Schema in which everything is described', () => {
    const schema = z.toJSONSchema(workloadSchema, { io: 'input' });
    const silent: string[] = [];
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const [key, child] of Object.entries(node)) walk(child, `${path}/${key}`);
      const { properties } = node as { properties?: Record<string, Record<string, unknown>> };
      for (const [name, field] of Object.entries(properties ?? {})) {
        if (!('description' in field) && !('const' in field)) silent.push(`${path}/${name}`);
      }
    };
    walk(schema, '');
    expect(silent).toEqual([]);
  });

  it('accepts every archetype as written', () => {
    for (const archetype of Object.values(ARCHETYPES)) {
      expect(ingredients.parse(archetype)).toEqual(archetype);
    }
  });
});
