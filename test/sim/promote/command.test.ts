import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '../../../live/promote/open-bundle.ts';
import { foresize } from '../sweep/cli.ts';
import { GATES, place } from './fixture.ts';

const here = place();
afterAll(here.remove);

let comparison: string;
beforeAll(async () => {
  const set = ['--set', 'compare.policies=[static, ahead, threshold]', '--set', 'compare.resamples=100'];
  const made = await foresize(['compare', 'promoted.yaml', '--threads', '1', ...set], here.folder);
  expect(made.code, made.stderr).toBe(0);
  comparison = join('out', readdirSync(here.path('out')).find((name) => name.startsWith('compare-'))!);
}, 60_000);

describe('foresize promote', () => {
  it('makes a bundle of a policy of a comparison against its baseline, and live can open it', async () => {
    here.gates(GATES);
    const args = ['promote', comparison, '--policy', 'ahead', '--gates', 'gates.yaml'];
    const { code, stdout, stderr } = await foresize([...args, '--out', 'bundles', '--json'], here.folder);
    expect(code, stderr).toBe(0);
    const promotion = JSON.parse(stdout);
    expect(promotion).toMatchObject({ schema: 'foresize/promotion/v1', passed: true });
    expect(promotion.evidence.incumbent.policy).toBe('static');
    const { id, folder } = promotion.bundle;
    expect(folder).toBe(join('bundles', `bundle-${id.slice(0, 16)}`));
    const { codeVersion } = JSON.parse(readFileSync(here.path(join(folder, 'bundle.json')), 'utf8'));
    expect(openBundle(here.path(folder), codeVersion)).toMatchObject({
      id,
      evidence: promotion.evidence,
      config: { stepMs: 300_000, seed: 1, controller: { policy: 'ahead' } },
    });
  });

  it('shows every gate and stops with exit code 4 when one does not pass', async () => {
    here.gates({ ...GATES, churn: 10 });
    const args = ['promote', comparison, '--policy', 'ahead', '--gates', 'gates.yaml', '--out', 'none'];
    const { code, stdout, stderr } = await foresize(args, here.folder);
    expect(code, stderr).toBe(4);
    expect(stdout).toMatch(/^violationRate\.any .* pass /m);
    expect(stdout).toMatch(/^churn .* at most 10 +-\d.* FAIL /m);
    expect(stdout).toContain('Refused by 1 of 9 gates; no bundle was written.');
    expect(stderr).toMatch(
      /^PROMOTE_REFUSED: upper bound of the resizes .* is not at most 10, by [\d.]+ resizes/,
    );
    expect(existsSync(here.path('none'))).toBe(false);
  });

  it('says what is wrong with what it is given', async () => {
    const [which, none, schema] = await Promise.all([
      foresize(['promote', comparison], here.folder),
      foresize(['promote', 'out/none'], here.folder),
      foresize(['schema', 'gates'], here.folder),
    ]);
    expect([which.code, which.stderr]).toEqual([2, expect.stringContaining('ahead, threshold')]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('PROMOTE_RUN_UNREADABLE')]);
    expect(JSON.parse(schema.stdout)).toHaveProperty('properties.violationRate');
  });
});
