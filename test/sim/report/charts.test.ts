import * as vega from 'vega';
import * as vegaLite from 'vega-lite';
import { describe, expect, test } from 'vitest';
import { barSpec } from '../../../sim/report/charts/bars.ts';
import { forestPanels } from '../../../sim/report/charts/forest.ts';
import { planeSpec } from '../../../sim/report/charts/plane.ts';
import { allocationSpec, fleetSpec, forecastSpec, linesSpec } from '../../../sim/report/charts/time.ts';
import { measureTitle } from '../../../sim/report/finding.ts';
import { formatPercent } from '../../../sim/report/format.ts';
import { DARK, LIGHT, looksOf, type Spec, themed } from '../../../sim/report/theme.ts';
import { fixtureComparison } from './fixture.ts';

const comparison = fixtureComparison({ days: 2 });
const looks = looksOf(comparison.runs, comparison.baseline);

/** Compiles and parses, and returns what Vega-Lite had to complain of. */
function complaints(spec: Spec): string[] {
  const heard: string[] = [];
  const hear = (...args: unknown[]) => {
    heard.push(args.join(' '));
    return logger;
  };
  const logger = { level: () => logger, error: hear, warn: hear, info: () => logger, debug: () => logger };
  vega.parse(vegaLite.compile(themed(spec, LIGHT) as never, { logger: logger as never }).spec);
  return heard;
}

describe('every specification compiles without a complaint', () => {
  const size = { width: 700, height: 400, fluid: true };
  test.each<[string, Spec]>([
    ['plane, any', planeSpec(comparison, 'any', size)],
    ['plane, one resource', planeSpec(comparison, 'memory', { ...size, fluid: false })],
    [
      'plane, one run',
      planeSpec({ ...comparison, runs: comparison.runs.slice(0, 1), paired: [] }, 'any', size),
    ],
    ['bars', barSpec(comparison, (m) => m.resources.cpu!.slack, formatPercent)!],
    ['forecast', { ...forecastSpec(), params: [{ name: 'tone', value: '@c0' }] }],
    ['allocation', { ...allocationSpec(), params: [{ name: 'tone', value: '@c0' }] }],
    ['fleet', { ...fleetSpec(looks), params: [{ name: 'focus', value: 'all' }] }],
    ['lines', { ...linesSpec(looks, 180), params: [{ name: 'focus', value: 'all' }] }],
    ...forestPanels(comparison, measureTitle).map((p): [string, Spec] => [`forest ${p.measure}`, p.spec]),
  ])('%s', (_, spec) => {
    expect(complaints(spec)).toEqual([]);
  });
});

describe('the plane', () => {
  const rows = () => {
    const spec = planeSpec(comparison, 'any', { width: 700, height: 400, fluid: true });
    return (spec['data'] as { values: Record<string, number | boolean | string>[] }).values;
  };

  test('crosses are the intervals of the paired differences, around the baseline', () => {
    const row = rows().find((r) => r['policy'] === 'vpa')!;
    const cost = comparison.paired.find((p) => p.policy === 'vpa' && p.measure === 'costPerVmDay')!;
    const short = comparison.paired.find((p) => p.policy === 'vpa' && p.measure === 'violationRate.any')!;
    expect(row['costLow']).toBeCloseTo(cost.baselineMean * (1 + cost.relative!.low!), 10);
    expect(row['violationHigh']).toBeCloseTo(100 * (short.baselineMean + short.high!), 10);
    const base = rows().find((r) => r['policy'] === 'static')!;
    expect([base['costLow'], base['costHigh']]).toEqual([base['cost'], base['cost']]);
  });

  test('the oracle is no part of the front', () => {
    for (const row of rows()) if (row['oracle']) expect(row['front']).toBe(false);
    expect(rows().filter((r) => r['front']).length).toBeGreaterThan(1);
  });
});

test('a bar chart of nothing is none', () => {
  expect(barSpec(comparison, () => null, formatPercent)).toBeNull();
});

describe('looks', () => {
  test('grey for the oracle, ink for the baseline, no colour twice among six', () => {
    const colors = looks.map((l) => l.color);
    expect(looks.find((l) => l.policy === 'oracle')!.color).toBe('@oracle');
    expect(looks.find((l) => l.policy === 'static')!.color).toBe('@base');
    expect(new Set(colors).size).toBe(colors.length);
  });

  test('a seventh policy shares a colour but not the dash', () => {
    const runs = Array.from({ length: 8 }, (_, i) => ({ ...comparison.runs[1]!, policy: `p${i}` }));
    const many = looksOf(runs, 'none');
    expect(many[6]!.color).toBe(many[0]!.color);
    expect(many[6]!.dash).not.toEqual(many[0]!.dash);
  });

  test('both themes know every token', () => {
    expect(Object.keys(DARK).sort()).toEqual(Object.keys(LIGHT).sort());
    expect(themed({ a: ['@ink', '@nobody', 'x@ink'] }, LIGHT)).toEqual({
      a: [LIGHT['ink'], '@nobody', 'x@ink'],
    });
  });
});
