import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ForesizeError } from '../../core/errors.ts';
import { parseScenario, scenarioJsonSchema } from '../../sim/scenario.ts';

const GOOD = `apiVersion: foresize/v1
name: tiny
duration: 2d
workload:
  source: generated
  applications:
    - { id: shop, archetype: web }
policy: seed
policies:
  seed: { kind: threshold }
`;

function problemsOf(text: string, sets: string[] = []): string[] {
  try {
    parseScenario(text, 'tiny.yaml', sets);
  } catch (error) {
    expect(error).toBeInstanceOf(ForesizeError);
    expect((error as ForesizeError).exitCode).toBe(2);
    return (error as ForesizeError).problems.map((p) => `${p.code} ${p.where}: ${p.what}`);
  }
  return [];
}

describe('scenario', () => {
  it('fills in defaults', () => {
    const scenario = parseScenario(GOOD, 'tiny.yaml');
    expect(scenario).toMatchObject({
      seed: 1,
      tick: '5m',
      warmup: '1d',
      policies: { seed: { kind: 'threshold', up: 1.2, down: 0.8, forecast: { model: 'last-value' } } },
      record: { vms: 6 },
    });
  });

  it('lists every problem at once, each with file, line and dotted path', () => {
    const bad = GOOD.replace('policy: seed', 'policy: gold\ncolour: blue').replace(
      'kind: threshold',
      'kind: threshold, up: 0.7, down: 0.8',
    );
    expect(problemsOf(bad)).toEqual([
      'SCENARIO_INVALID tiny.yaml:11: policies.seed.down: the thresholds cross: down must be below up',
      "SCENARIO_INVALID_UNKNOWN_KEY tiny.yaml:9: colour: 'colour' is not a known key here",
      "SCENARIO_INVALID tiny.yaml:8: policy: no policy is named 'gold'; known: seed",
    ]);
  });

  it('says where the YAML itself is broken', () => {
    expect(problemsOf('apiVersion: foresize/v1\nname: [\n')[0]).toMatch(
      /^SCENARIO_YAML tiny\.yaml:\d+:\d+: /,
    );
  });

  it('takes overrides, typed as YAML', () => {
    const scenario = parseScenario(GOOD, 'tiny.yaml', [
      'policies.seed.up=1.5',
      'applications.shop=seed',
      'seed=9',
    ]);
    expect(scenario).toMatchObject({
      policies: { seed: { up: 1.5 } },
      applications: { shop: 'seed' },
      seed: 9,
    });
    expect(problemsOf(GOOD, ['nonsense'])[0]).toContain('SET_INVALID');
    expect(problemsOf(GOOD, ['policies.seed.up=high'])[0]).toContain('policies.seed.up');
  });

  it('has a JSON Schema from the same source', () => {
    const schema = scenarioJsonSchema() as { properties: Record<string, unknown> };
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(['workload', 'policies', 'guards', 'prices']),
    );
  });

  const folder = join(import.meta.dirname, '../../scenarios');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (f) => f.endsWith('.yaml') && !/^(consolidation|gate)/.test(f),
  );
  it.each(files.sort())('accepts the bundled %s', (file) => {
    const scenario = parseScenario(readFileSync(join(folder, file), 'utf8'), file);
    expect(Object.keys(scenario.policies)).toEqual(expect.arrayContaining(['static', 'oracle', 'vpa']));
  });
});
