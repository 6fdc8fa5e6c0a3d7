import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import { nabCommand } from '../../../sim/commands/nab.ts';
import { copyOf, ROWS, removeCopies } from './copy.ts';

afterEach(() => {
  vi.restoreAllMocks();
  removeCopies();
});

/** Runs `nab ...` as the command line does; gives what goes to stdout. */
async function run(...args: string[]): Promise<string> {
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  await yargs(['nab', '--quiet', ...args])
    .command(nabCommand)
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new Error(message);
    })
    .parseAsync();
  return out;
}

describe('foresize nab', () => {
  it('runs the detector and prints a table or JSON', async () => {
    const dir = copyOf({
      'reference_scores.json': JSON.stringify({ corpus: 'one series', scores: { other: { standard: 50 } } }),
    });
    const table = await run('--data', dir, '--series');
    // Ten rows are too few to score: all are 0, and threshold 0 detects them all. The window is found at once; rows 1 to
    // 3 cost 0.11 each, rows 7 to 9 0.11 x (0.848 + 0.987 + 0.999): 1 - 0.33 - 0.312 = 0.36, (0.36 + 1) / 2 = 67.9 %.
    expect(table).toMatch(/^detector +standard\nforesize +67\.91\n/);
    expect(table).toMatch(/a\/one\.csv +1\/1 +6 +0\.36/);
    expect(table).toMatch(/NAB's own scorer, one series:\nother +50\.00/);
    const { reports } = JSON.parse(await run('--data', dir, '--json'));
    expect(reports[0]).toMatchObject({ detector: 'foresize', series: 1, rows: 10, windows: 1 });
  });

  it('rescores stored outputs: one folder a detector, or one of them', async () => {
    const scores = (row: number) =>
      `timestamp,anomaly_score\n${ROWS.map((r, i) => `${r.split(',')[0]},${i === row ? 1 : 0}`).join('\n')}\n`;
    const dir = copyOf({
      'results/late/a/late_one.csv': scores(6),
      'results/prompt/a/prompt_one.csv': scores(4),
    });
    const results = join(dir, 'results');
    const both = JSON.parse(await run('--data', dir, '--rescore', results, '--json'));
    expect(both.reports.map((r: { detector: string }) => r.detector)).toEqual(['late', 'prompt']);
    for (const at of [results, join(results, 'prompt')]) {
      const one = JSON.parse(await run('--data', dir, '--rescore', at, '--detector', 'prompt', '--json'));
      expect(one.reports).toHaveLength(1);
      expect(one.reports[0].profiles[0].score).toBe(100);
    }
  });

  it('says what it cannot find', async () => {
    const dir = copyOf({});
    await expect(run('--data', dir, '--profile', 'cheap')).rejects.toThrow(/NAB_NO_PROFILE.*cheap/);
    await expect(run('--data', dir, '--rescore', '/nowhere')).rejects.toThrow(/NAB_NO_RESULTS/);
    await expect(run('--data', '/nowhere')).rejects.toThrow(/NAB_NOT_FOUND/);
  });
});
