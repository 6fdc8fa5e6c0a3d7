import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from './row.ts';

const RUNS = 10_000;
const MIB = 1024;

/** Two VMs for six hours: a few milliseconds a run. */
const SCENARIO = {
  apiVersion: 'foresize/v1',
  name: 'Tiny',
  tick: '5m',
  duration: '6h',
  warmup: '1h',
  workload: {
    source: 'generated',
    applications: [{ id: 'shop', archetype: 'web', users: 1, vmsPerUser: 2 }],
  },
  policies: { threshold: { kind: 'threshold' } },
  policy: 'threshold',
};
const SWEEP = {
  apiVersion: 'foresize/v1',
  name: 'Many',
  scenario: 'scenario.yaml',
  axes: { seed: { from: 1, to: RUNS, steps: RUNS, integer: true } },
};

/** 10,000 runs in one sweep by `foresize sweep` as a process of its own: its memory as it goes, read from /proc. */
export async function runsBench(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'foresize-bench-'));
  try {
    writeFileSync(join(folder, 'scenario.yaml'), JSON.stringify(SCENARIO));
    writeFileSync(join(folder, 'sweep.yaml'), JSON.stringify(SWEEP));
    const cli = fileURLToPath(new URL('../../cli.js', import.meta.url));
    const began = performance.now();
    const child = spawn(process.execPath, [cli, 'sweep', 'sweep.yaml', '--out', 'out', '--quiet'], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    let code: number | null | undefined;
    child.once('exit', (status) => {
      code = status;
    });
    const rss = new Map<number, number>();
    let peak = 0;
    while (code === undefined) {
      await sleep(500);
      const memory = residentMiB(child.pid!);
      if (memory === undefined) continue;
      peak = Math.max(peak, memory);
      const done = finished(folder);
      const thousand = Math.floor(done / 1000) * 1000;
      if (done >= 1000 && done < RUNS && !rss.has(thousand)) rss.set(thousand, memory);
    }
    if (code !== 0) throw new Error(`the sweep ended with code ${code}`);
    const seconds = (performance.now() - began) / 1000;
    const at = [...rss];
    const [, first] = at[0]!;
    return [
      ...at.map(([done, value]) => ({
        name: `memory of a sweep after ${done} runs`,
        value,
        reference: first,
        unit: 'MiB',
        against: 'after the first of these',
      })),
      {
        name: 'the most, tables made',
        value: peak,
        reference: first,
        unit: 'MiB',
        against: 'after the first',
      },
      { name: `${RUNS} runs`, value: seconds, reference: RUNS / 1000, unit: 's', against: 'at 1 ms each' },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lines of the journal. */
function finished(folder: string): number {
  try {
    const text = readFileSync(join(folder, 'out', 'journal.jsonl'), 'latin1');
    return text.split('\n').length - 1;
  } catch {
    return 0;
  }
}

function residentMiB(pid: number): number | undefined {
  try {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) / MIB;
  } catch {
    return undefined;
  }
}
