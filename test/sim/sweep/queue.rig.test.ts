import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readJournal } from '../../../sim/sweep/journal.ts';
import { connectQueue } from '../../../sim/sweep/queue/connection.ts';
import { Foresize, foresize } from './cli.ts';
import { bench, SMALL, tableBytes } from './fixture.ts';
import { SERVERS, type Server } from './servers.ts';

// A run takes half a second or so: long enough to be killed in.
const here = bench({ ...SMALL, duration: '60d' });
afterAll(here.remove);
const spec = here.write({
  axes: {
    'policies.threshold.up': { from: 1.1, to: 1.5, steps: 5 },
    policy: ['threshold', 'vpa'],
    seed: [1, 2, 3],
  },
});
const RUNS = 18;
let whole: string[];
beforeAll(async () => {
  const local = await foresize(['sweep', spec, '--out', 'local', '--json'], here.folder);
  expect(local).toMatchObject({ code: 0, stderr: '' });
  whole = tableBytes(here.path('local'));
}, 120_000);

const workers = new Set<Foresize>();
afterEach(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  for (const worker of workers) await worker.finished;
  workers.clear();
});

function startWorker(url: string, ...more: string[]): Foresize {
  const worker = new Foresize(['worker', '--queue', url, '--threads', '1', '--json', ...more], {
    cwd: here.folder,
  });
  workers.add(worker);
  return worker;
}

function startSweep(url: string, out: string, ...more: string[]): Foresize {
  return new Foresize(['sweep', spec, '--queue', url, '--out', out, '--json', '--quiet', ...more], {
    cwd: here.folder,
  });
}

let attempts = 0;
/** A folder of its own for every attempt: a test that is tried again finds none of the first. */
function fresh(name: string): string {
  return `${name}-${attempts++}`;
}

function finished(out: string): number {
  const runs = here.path(`${out}/runs`);
  return existsSync(runs) ? readdirSync(runs).filter((name) => name.endsWith('.json.gz')).length : 0;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}

/** Every run is there once, and the tables are those of the threads of one process. */
function expectWhole(out: string): void {
  expect(finished(out)).toBe(RUNS);
  const ids = readJournal(here.path(`${out}/journal.jsonl`)).map(({ id, ok }) => `${id} ${ok}`);
  expect(ids).toHaveLength(RUNS);
  expect(new Set(ids).size).toBe(RUNS);
  expect(tableBytes(here.path(out))).toEqual(whole);
}

for (const { name, present, create } of SERVERS) {
  describe.skipIf(!present)(`by a queue on ${name}${present ? '' : ' (not installed)'}`, () => {
    let server: Server;
    beforeAll(async () => {
      server = await create();
    }, 120_000);
    beforeEach(() => server.start(), 120_000);
    afterAll(() => server.remove());

    it('loses nothing and counts nothing twice when a worker of three is killed', async () => {
      const out = fresh(`${name}-killed`);
      const crew = [1, 2, 3].map(() => startWorker(server.url, '--silence', '2s'));
      const sweep = startSweep(server.url, out);
      await until(() => finished(out) >= 4);
      crew[1]!.kill('SIGKILL');
      expect(await sweep.finished).toMatchObject({ code: 0, stderr: '' });
      expectWhole(out);
      // A worker that is told to stop says what it did.
      crew[0]!.kill('SIGINT');
      const end = await crew[0]!.finished;
      expect(end.code).toBe(130);
      expect(JSON.parse(end.stdout)).toEqual({ done: expect.any(Number) });
    });

    it('is patient with a run that outlasts its lock many times', async () => {
      const out = fresh(`${name}-long`);
      const long = here.write({ axes: {}, set: { duration: '1000d' }, name: 'Long' }, 'long.yaml');
      const worker = startWorker(server.url, '--silence', '500ms', '--idle', '3s');
      const second = startWorker(server.url, '--silence', '500ms', '--idle', '3s');
      const sweep = await foresize(
        ['sweep', long, '--queue', server.url, '--out', out, '--quiet'],
        here.folder,
      );
      expect(sweep).toMatchObject({ code: 0 });
      const [entry] = readJournal(here.path(`${out}/journal.jsonl`));
      expect(entry!.wallSeconds).toBeGreaterThan(2);
      const done = await Promise.all(
        [worker, second].map(async (w) => JSON.parse((await w.finished).stdout).done),
      );
      // Nobody else ran it meanwhile.
      expect(done.sort()).toEqual([0, 1]);
    });

    it('goes on after Ctrl-C', async () => {
      const out = fresh(`${name}-stopped`);
      startWorker(server.url);
      const first = startSweep(server.url, out);
      await until(() => finished(out) >= 3);
      first.kill('SIGINT');
      expect(await first.finished).toMatchObject({ code: 130, stderr: 'interrupted\n' });
      const kept = finished(out);
      expect(kept).toBeLessThan(RUNS);
      const second = startSweep(server.url, out, '--resume');
      expect(await second.finished).toMatchObject({ code: 0, stderr: '' });
      expectWhole(out);
    });

    it('keeps what is finished when the queue goes away, and carries on when it is back', async () => {
      const out = fresh(`${name}-lost`);
      const worker = startWorker(server.url, '--silence', '2s', '--queue-timeout', '2s');
      const first = startSweep(server.url, out, '--queue-timeout', '2s');
      await until(() => finished(out) >= 3);
      await server.kill();
      const [end, workerEnd] = await Promise.all([first.finished, worker.finished]);
      expect(end.code).toBe(1);
      expect(end.stderr).toMatch(/^QUEUE_LOST: /);
      expect(workerEnd.code).toBe(1);
      expect(workerEnd.stderr).toMatch(/^QUEUE_LOST: /m);
      expect(finished(out)).toBeGreaterThanOrEqual(3);
      await server.start();
      startWorker(server.url, '--silence', '2s');
      const second = startSweep(server.url, out, '--resume');
      expect(await second.finished).toMatchObject({ code: 0, stderr: '' });
      expectWhole(out);
    });

    it('records a run that every worker dies over', async () => {
      const out = fresh(`${name}-deadly`);
      const deadly = here.write({ axes: {}, set: { duration: '20000d' }, name: 'Deadly' }, 'deadly.yaml');
      const sweep = new Foresize(['sweep', deadly, '--queue', server.url, '--out', out, '--quiet'], {
        cwd: here.folder,
      });
      const connection = await connectQueue(server.url);
      let queue: ReturnType<typeof connection.queue> | undefined;
      for (let death = 1; death <= 4; death++) {
        const worker = startWorker(server.url, '--silence', '1s');
        const [, queueName] = await worker.said(/queue (\S+)/);
        queue ??= connection.queue(queueName!);
        for (let starts = 0; starts < death; await sleep(100)) {
          const [job] = await queue.getActive();
          starts = job?.attemptsStarted ?? 0;
        }
        worker.kill('SIGKILL');
      }
      await queue?.close();
      await connection.close();
      startWorker(server.url, '--silence', '1s');
      expect((await sweep.finished).code).toBe(1);
      const [entry] = readJournal(here.path(`${out}/journal.jsonl`));
      expect(entry!.problems![0]!.code).toBe('RUN_STALLED');
    });
  });
}
