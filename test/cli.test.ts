import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const SCENARIO = `apiVersion: foresize/v1
name: tiny
duration: 6h
warmup: 1h
workload:
  source: generated
  applications:
    - { id: shop, archetype: web, users: 2 }
policy: seed
policies:
  static: { kind: static }
  oracle: { kind: oracle }
  seed: { kind: threshold }
  vpa: { kind: vpa }
compare: { resamples: 100 }
`;

/** Runs the built command line; `npm test` builds it first. */
function foresize(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'dist/cli.js'), ...args],
      { encoding: 'utf8' },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

function workspace(text = SCENARIO): { file: string; out: string } {
  const folder = mkdtempSync(join(tmpdir(), 'foresize-cli-'));
  writeFileSync(join(folder, 'tiny.yaml'), text);
  return { file: join(folder, 'tiny.yaml'), out: join(folder, 'out') };
}

describe('the command line', () => {
  it('runs, writes the run folder whole, and does not run it twice', async () => {
    const { file, out } = workspace();
    const first = await foresize('run', file, '--out', out, '--json');
    expect(first.code, first.stderr).toBe(0);
    const result = JSON.parse(first.stdout);
    expect(result).toMatchObject({ schema: 'foresize/result/v1', policy: 'seed', scenario: 'tiny' });
    expect(readdirSync(join(out, result.id)).sort()).toEqual([
      'manifest.json',
      'result.json',
      'scenario.yaml',
      'ticks.parquet',
    ]);
    const again = await foresize('run', file, '--out', out, '--json');
    expect(again.stderr).toContain('already run');
    expect(again.stdout).toBe(first.stdout);
  });

  it('gives the same decision log and result in another folder and on a second run', async () => {
    const a = workspace();
    const b = workspace();
    const [one, two] = await Promise.all([
      foresize('run', a.file, '--out', a.out, '--json', '--decisions', `${a.file}.log`),
      foresize('run', b.file, '--out', b.out, '--json', '--decisions', `${b.file}.log`),
    ]);
    expect(one.stdout).toBe(two.stdout);
    expect(readFileSync(`${a.file}.log`).equals(readFileSync(`${b.file}.log`))).toBe(true);
    const other = await foresize('run', a.file, '--out', a.out, '--json', '--seed', '2');
    expect(JSON.parse(other.stdout).decisions.sha256).not.toBe(JSON.parse(one.stdout).decisions.sha256);
  });

  it('compares in threads and writes the reports', async () => {
    const { file, out } = workspace();
    const { code, stdout, stderr } = await foresize('compare', file, '--out', out, '--threads', '2');
    expect(code, stderr).toBe(0);
    const report = /Report: (.*)report\.html/.exec(stdout)?.[1];
    expect(readdirSync(report!).sort()).toEqual(['comparison.json', 'plane.svg', 'report.html', 'report.md']);
    expect(stdout).toMatch(/seed .*static .*vpa|static[\s\S]*seed[\s\S]*vpa/);
    // One thread gives the same comparison, byte for byte.
    const alone = workspace();
    await foresize('compare', alone.file, '--out', alone.out, '--threads', '1');
    const folder = readdirSync(alone.out).find((name) => name.startsWith('compare-'))!;
    expect(readFileSync(join(alone.out, folder, 'comparison.json'), 'utf8')).toBe(
      readFileSync(join(report!, 'comparison.json'), 'utf8'),
    );
  });

  it('exits 2 with every problem on stderr and nothing on stdout', async () => {
    const { file, out } = workspace(SCENARIO.replace('policy: seed', 'policy: gold\ncolour: blue'));
    const { code, stdout, stderr } = await foresize('run', file, '--out', out);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`tiny.yaml:10: colour`);
  });

  it.each([
    [['run'], 'USAGE'],
    [['fly'], 'USAGE'],
    [['run', 'no-such.yaml'], 'SCENARIO_UNREADABLE'],
    [['report', 'no-such-run'], 'RUN_UNREADABLE'],
    [['trace', 'inspect', 'no-such-trace'], 'TRACE'],
  ])('exits 2 on %j', async (args, code) => {
    const outcome = await foresize(...args);
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain(code);
    expect(outcome.stderr.split('\n').length).toBeLessThan(24);
  });

  it('refuses a workload that is shorter than warm-up and horizon', async () => {
    const { file, out } = workspace(SCENARIO.replace('duration: 6h', 'duration: 1h'));
    const { code, stderr } = await foresize('run', file, '--out', out);
    expect([code, stderr]).toEqual([2, expect.stringContaining('WORKLOAD_TOO_SHORT')]);
  });

  it('exits 1 where the run files cannot be written', async () => {
    const { file } = workspace();
    const { code, stderr } = await foresize('run', file, '--out', `${file}/out`);
    expect([code, stderr]).toEqual([1, expect.stringContaining('RUN_UNWRITABLE')]);
  });

  it('stops on Ctrl-C with exit code 130 and leaves nothing that looks complete', async () => {
    const { file, out } = workspace(
      SCENARIO.replace('duration: 6h', 'duration: 3650d').replace('users: 2', 'users: 200'),
    );
    const decisions = `${out}.decisions`;
    const args = ['run', file, '--out', out, '--decisions', decisions];
    const child = spawn(process.execPath, [join(ROOT, 'dist/cli.js'), ...args]);
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const code = new Promise((resolve) => child.on('close', resolve));
    // The first decision shows that the run is going, however slow the machine.
    while (!existsSync(decisions) && child.exitCode === null) await setTimeout(50);
    child.kill('SIGINT');
    expect([await code, stderr]).toEqual([130, 'interrupted\n']);
    expect(existsSync(out)).toBe(false);
  });

  it('generates, inspects and prints a schema', async () => {
    const { file, out } = workspace();
    const trace = `${out}.csv`;
    expect((await foresize('trace', 'generate', file, '--out', trace)).code).toBe(0);
    const inspected = await foresize('trace', 'inspect', trace, '--json');
    expect(inspected.code, inspected.stderr).toBe(0);
    expect(JSON.parse((await foresize('schema')).stdout)).toHaveProperty('properties.workload');
  });
});
