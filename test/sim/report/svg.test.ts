import { expect, test } from 'vitest';
import { planeSvg } from '../../../sim/report/svg.ts';
import { LIGHT } from '../../../sim/report/theme.ts';
import { fixtureComparison } from './fixture.ts';

const comparison = fixtureComparison({ days: 2 });

test('a picture that names every policy and says that cost is simulated', async () => {
  const svg = await planeSvg(comparison);
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  for (const { policy } of comparison.runs) expect(svg).toContain(`>${policy}<`);
  expect(svg).toContain('not money saved');
  expect(svg).toContain(LIGHT['ground']);
  expect(svg).not.toContain('@');
});

test('the same bytes again, other bytes in the dark', async () => {
  const first = await planeSvg(comparison);
  expect(await planeSvg(comparison)).toBe(first);
  expect(await planeSvg(comparison, { theme: 'dark' })).not.toBe(first);
});
