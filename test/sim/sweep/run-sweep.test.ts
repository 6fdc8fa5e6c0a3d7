import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SweepFolder } from '../../../sim/sweep/folder.ts';
import { readJournal } from '../../../sim/sweep/journal.ts';
import { localEngine } from '../../../sim/sweep/local-engine.ts';
import { mergeShards } from '../../../sim/sweep/merge.ts';
import type { Sweep } from '../../../sim/sweep/plan.ts';
import { querySweep } from '../../../sim/sweep/query.ts';
import { runSweep, type SweepOptions, type SweepProgress } from '../../../sim/sweep/run-sweep.ts';
import { bench, problemOf, tableBytes } from './fixture.ts';

const here = bench();
afterAll(here.remove);

const SPEC = {
  axes: { 'policies.threshold.up': [1.1, 1.3], policy: ['threshold', 'vpa', 'oracle'], seed: [1, 2] },
};

async function run(
  sweep: Sweep,
  out: string,
  options: SweepOptions & { resume?: boolean } = {},
): Promise<SweepProgress> {
  const folder = await SweepFolder.take(here.path(out), sweep.plan, options.resume ?? false);
  try {
    return await runSweep(sweep, folder, localEngine(options.shard ? 1 : 2), options);
  } finally {
    folder.release();
  }
}

describe('a sweep', () => {
  let whole: string[];
  beforeAll(async () => {
    expect(await run(here.sweep(SPEC), 'whole')).toMatchObject({ done: 8, failed: 0, total: 8 });
    whole = tableBytes(here.path('whole'));
  });

  it('has a row for every point, with its axes and measures', async () => {
    const { columns, rows } = await querySweep(
      here.path('whole'),
      `select point, "policies.threshold.up" as up, policy, seed, cost_per_vm_day > 0 as costs, cpu_violation_rate < 1 as rate,
       run_id <> '' as run, trace_sha256 from runs`,
    );
    expect(columns).toEqual(['point', 'up', 'policy', 'seed', 'costs', 'rate', 'run', 'trace_sha256']);
    expect(rows).toHaveLength(12);
    expect(rows[0]).toEqual([0, 1.1, 'threshold', 1, true, true, true, null]);
    expect(rows[11]).toEqual([11, 1.3, 'oracle', 2, true, true, true, null]);
  });

  it('keeps groups and VM-days that add up to the runs', async () => {
    const { rows } = await querySweep(
      here.path('whole'),
      `select count(*), max(abs(runs.cost_total - days.cost)), max(abs(runs.cost_total - users.cost)) from
       (from runs select distinct id, cost_total) as runs
       join (select id, sum(cost) as cost from vm_days group by id) as days using (id)
       join (select id, sum(cost_total) as cost from groups where kind = 'user' group by id) as users using (id)`,
    );
    expect(rows[0]![0]).toBe(8);
    expect(rows[0]![1]).toBeLessThan(1e-9);
    expect(rows[0]![2]).toBeLessThan(1e-9);
  });

  it('comes to the same bytes stopped and resumed', async () => {
    const sweep = here.sweep(SPEC);
    const stop = new AbortController();
    const onProgress = ({ done }: SweepProgress) => done >= 1 && stop.abort();
    const interrupted = await run(sweep, 'resumed', { signal: stop.signal, onProgress }).catch(
      (e: Error) => e.name,
    );
    expect(interrupted).toBe('AbortError');
    const kept = readdirSync(here.path('resumed/runs'));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(8);
    expect(existsSync(here.path('resumed/lock'))).toBe(false);
    // What is finished by now can be asked for.
    const { rows } = await querySweep(here.path('resumed'), 'select count(distinct id) from runs');
    expect(rows).toEqual([[kept.length]]);

    await run(sweep, 'resumed', { resume: true });
    expect(tableBytes(here.path('resumed'))).toEqual(whole);
    // Nothing was run twice.
    expect(readJournal(here.path('resumed/journal.jsonl')).map(({ id }) => id)).toHaveLength(8);
    expect(await run(sweep, 'resumed', { resume: true })).toMatchObject({ done: 8, rate: 0 });
  });

  it('comes to the same bytes in four shards merged', async () => {
    const sweep = here.sweep(SPEC);
    for (let index = 1; index <= 3; index++) {
      const end = await run(sweep, `sharded/shard-${index}-of-4`, { shard: { index, count: 4 } });
      expect(end).toMatchObject({ done: 2, total: 2 });
    }
    expect(await mergeShards(here.path('sharded'), [])).toMatchObject({ finished: 6, missing: 2 });
    await run(sweep, 'elsewhere', { shard: { index: 4, count: 4 } });
    const merged = await mergeShards(here.path('sharded'), [here.path('elsewhere')]);
    expect(merged).toMatchObject({ finished: 8, failed: 0, missing: 0 });
    expect(tableBytes(here.path('sharded'))).toEqual(whole);
    expect(readJournal(here.path('sharded/journal.jsonl'))).toHaveLength(8);
    expect(await problemOf(() => mergeShards(here.path('nothing'), []))).toMatchObject({
      code: 'SWEEP_FOLDER_NONE',
    });
    await run(here.sweep({ axes: { seed: [9] } }), 'other');
    expect(await problemOf(() => mergeShards(here.path('sharded'), [here.path('other')]))).toMatchObject({
      code: 'SWEEP_FOLDER_OTHER',
      exitCode: 2,
    });
  });

  it('runs again what was damaged, and passes over half a line', async () => {
    const sweep = here.sweep(SPEC);
    const folder = here.path('whole');
    const record = join(folder, 'runs', `${sweep.runs()[3]!.id}.json.gz`);
    writeFileSync(record, readFileSync(record).subarray(0, 200));
    appendFileSync(join(folder, 'journal.jsonl'), '{"id":"abc');
    await run(sweep, 'whole', { resume: true });
    expect(tableBytes(folder)).toEqual(whole);
    expect(readJournal(join(folder, 'journal.jsonl'))).toHaveLength(9);
  });

  it('records a run that failed, and tries it again on request only', async () => {
    // Half a day of warm-up leaves nothing of a workload of half a day.
    const sweep = here.sweep({ axes: { duration: ['1d', '12h'] } });
    expect(await run(sweep, 'failing')).toMatchObject({ done: 2, failed: 1, total: 2 });
    const failures = async () =>
      (await querySweep(here.path('failing'), 'select code, id from failures')).rows;
    expect(await failures()).toEqual([['WORKLOAD_TOO_SHORT', sweep.runs()[1]!.id]]);
    const lines = () => readJournal(here.path('failing/journal.jsonl')).length;
    await run(sweep, 'failing', { resume: true });
    expect(lines()).toBe(2);
    await run(sweep, 'failing', { resume: true, retry: true });
    expect(lines()).toBe(3);
    expect(await failures()).toHaveLength(1);
  });

  it('says what is wrong with SQL', async () => {
    const { code, exitCode, text } = await problemOf(() => querySweep(here.path('whole'), 'select nothing'));
    expect([code, exitCode]).toEqual(['SWEEP_QUERY', 2]);
    expect(text).toContain('describe runs');
    expect((await problemOf(() => querySweep(here.folder, 'from runs'))).code).toBe('SWEEP_FOLDER_NONE');
  });
});

describe('a folder', () => {
  const one = { axes: { seed: [1] } };
  const take = (out: string, spec: object, resume = false) =>
    SweepFolder.take(here.path(out), here.sweep(spec).plan, resume);

  it('takes one sweep, once', async () => {
    const folder = await take('taken', one);
    expect((await problemOf(() => take('taken', one, true))).code).toBe('SWEEP_FOLDER_BUSY');
    folder.release();
    expect(await problemOf(() => take('taken', one))).toMatchObject({
      code: 'SWEEP_FOLDER_USED',
      exitCode: 2,
    });
    expect(await problemOf(() => take('taken', { axes: { seed: [2] } }, true))).toMatchObject({
      code: 'SWEEP_FOLDER_OTHER',
      exitCode: 2,
    });
    (await take('taken', one, true)).release();
  });

  it('does not mix results of different code', async () => {
    (await take('code', one)).release();
    const file = here.path('code/plan.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), version: '0.0.1+abc' }));
    expect(await problemOf(() => take('code', one, true))).toMatchObject({
      code: 'SWEEP_FOLDER_CODE',
      exitCode: 2,
    });
  });

  it('takes over from a sweep that was killed', async () => {
    (await take('killed', one)).release();
    // No process has this number: Linux counts to 2^22 at most.
    const dead = { host: (await import('node:os')).hostname(), pid: 2 ** 22 + 1, since: 'yesterday' };
    writeFileSync(here.path('killed/lock'), JSON.stringify(dead));
    const folder = await take('killed', one, true);
    expect(JSON.parse(readFileSync(here.path('killed/lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    folder.release();
  });

  it('is a coded error where it cannot be', async () => {
    writeFileSync(here.path('plain'), '');
    expect(await problemOf(() => take('plain/sweep', one))).toMatchObject({
      code: 'SWEEP_UNWRITABLE',
      exitCode: 1,
    });
    const folder = await take('gone', one);
    rmSync(here.path('gone'), { recursive: true });
    const done = {
      id: here.sweep(one).runs()[0]!.id,
      worker: 'w',
      record: new Uint8Array(),
      trace: null,
      wallSeconds: 1,
    };
    expect(await problemOf(() => folder.put(done))).toMatchObject({ code: 'SWEEP_UNWRITABLE', exitCode: 1 });
    folder.release();
  });

  it('refuses a run whose trace has other bytes than the rest', async () => {
    const sweep = here.sweep({ axes: { seed: [1, 2, 3] } });
    const folder = await SweepFolder.take(here.path('traces'), sweep.plan, false);
    const put = (run: number, sha256: string) =>
      folder.put({
        id: sweep.runs()[run]!.id,
        worker: 'w',
        record: new Uint8Array(),
        trace: { source: 'a trace', sha256 },
        wallSeconds: 1,
      });
    put(0, 'a'.repeat(64));
    put(1, 'b'.repeat(64));
    put(2, 'a'.repeat(64));
    expect(folder.finished.size).toBe(2);
    expect([...folder.failures.values()].map(({ problems }) => problems?.[0]?.code)).toEqual([
      'SWEEP_TRACE_DIFFERS',
    ]);
    folder.release();
  });
});
