import { describe, expect, it } from 'vitest';
import { compileConstraint } from '../../../sim/sweep/constraint.ts';
import { problemOf } from './fixture.ts';

const values: Record<string, unknown> = {
  up: 1.2,
  down: 0.8,
  'policies.my-policy.horizon': 6,
  tick: '5m',
  policy: 'vpa',
  flag: true,
  list: [1],
};
const holds = (text: string) => compileConstraint(text, 'file:1')((name) => values[name]);

describe('constraint', () => {
  it.each([
    ['down < up', true],
    ['up <= down', false],
    ['up - down > 0.39 and up - down < 0.41', true],
    ['up-down > 0', undefined],
    ['policies.my-policy.horizon * tick <= 30m', true],
    ['policies.my-policy.horizon * tick <= 29m', false],
    ["policy == 'vpa' or up > 2", true],
    ['policy != "vpa"', false],
    ['not (down < up)', false],
    ['not flag or up == 1.2', true],
    ['2 + 3 * 4 == 14', true],
    ['(2 + 3) * 4 == 20', true],
    ['10 / 4 == 2.5', true],
    ['8 - 3 - 2 == 3', true],
    ['-up < 0', true],
    ['up > 1e-3', true],
    ["'a' < 'b'", true],
    ['true', true],
  ])('%s', async (text, expected) => {
    // Without spaces a dash belongs to the name, and nothing has that name.
    if (expected === undefined) expect((await problemOf(() => holds(text))).text).toContain("'up-down'");
    else expect(holds(text)).toBe(expected);
  });

  it.each([
    'up <',
    'up 2',
    '(up < 2',
    'up < 2)',
    'up # 2',
    'nowhere < 2',
    'list < 2',
    'up + 2',
    'policy < 2',
    'up and flag',
    '* 2',
    '',
  ])('refuses %s', async (text) => {
    const { code, where, exitCode } = await problemOf(() => holds(text));
    expect([code, where, exitCode]).toEqual(['SWEEP_CONSTRAINT', 'file:1', 2]);
  });
});
