import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import type { Advice } from '../../../core/cost/recommendation.ts';
import { recommendCommandWith } from '../../../sim/commands/recommend.ts';
import { executeScenario } from '../../../sim/execute.ts';
import { loadScenario } from '../../../sim/scenario.ts';
import { WASTE } from '../advisor/planted.ts';

const folder = mkdtempSync(join(tmpdir(), 'recommend-'));
let run = '';

beforeAll(async () => {
  const sets = ['duration=4d', 'advisor.idleDays=2', 'advisor.resamples=200', 'record.vms=2'];
  const done = await executeScenario(loadScenario(WASTE, sets), 'static', folder);
  run = done.folder;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the verb and gives what it printed. */
async function foresize(...args: string[]): Promise<string> {
  let out = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    await yargs(['recommend', ...args, '--quiet'])
      .command(recommendCommandWith())
      .exitProcess(false)
      .fail((message, error) => {
        throw error ?? new Error(message);
      })
      .parseAsync();
  } finally {
    write.mockRestore();
  }
  return out;
}

it('prints a table with reasons, and why the rest is withheld', async () => {
  const text = await foresize(run, '--kinds', 'retire', 'right-size', '--withheld');
  expect(text).toMatch(/1 +right-size-[0-9a-f]{8} +oversized +\d+\.\d\d USD \(\d+\.\d\d to \d+\.\d\d\)/);
  expect(text).toContain('Replayed on 3 recorded days');
  expect(text).toContain('Withheld: 0');
});

it('prints JSON, writes a page, and applies what it advised', async () => {
  const advice = JSON.parse(await foresize(run, '--json', '--kinds', 'retire')) as Advice;
  expect(advice).toMatchObject({ schema: 'foresize/advice/v1', currency: 'USD' });
  const [retire] = advice.recommendations;
  expect(retire!.kind).toBe('retire');
  const page = readFileSync(join(run, 'advice.html'), 'utf8');
  expect(page).toContain('What would cost less');
  expect(page).toContain(retire!.id);
  const out = join(folder, 'changed.yaml');
  await foresize('apply', run, '--ids', retire!.id, '--out', out);
  const done = await executeScenario(loadScenario(out), 'static', folder);
  expect(done.result.applications['abandoned']).toBeUndefined();
  expect((done.result.fleet.cost.total / 3) * (365.25 / 12)).toBeCloseTo(retire!.effect.costAfter, 9);
});

it('refuses what it cannot use, by code', async () => {
  await expect(foresize(join(folder, 'none'))).rejects.toThrow('RUN_UNREADABLE');
  await expect(foresize(join(run, 'ticks.parquet'))).rejects.toThrow('ADVICE_NO_SCENARIO');
  await expect(foresize('apply', run, '--ids', 'x', '--out', join(folder, 'x.yaml'))).rejects.toThrow(
    'ADVICE_UNKNOWN_ID',
  );
});

it('takes a history of its own, with a scenario for the prices', async () => {
  const advice = JSON.parse(
    await foresize(join(run, 'ticks.parquet'), '--scenario', WASTE, '--json', '--kinds', 'right-size'),
  ) as Advice;
  expect(advice.run).toBeNull();
});
