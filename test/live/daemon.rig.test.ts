import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { controllerSchema } from '../../core/config.ts';
import { CPU, MEMORY, R } from '../../core/model.ts';
import type { StageView } from '../../live/operations.ts';
import { recordingOf } from '../../live/recording.ts';
import { type ReplayReport, replay } from '../../live/replay.ts';
import type { Entry } from '../../live/store/entries.ts';
import type { JournaledFrame } from '../../live/store/frame-codec.ts';
import { Journal } from '../../live/store/journal.ts';
import { type FidelityReport, fidelity } from '../../sim/fidelity.ts';
import { writeBundle } from '../../sim/promote/write-bundle.ts';
import { bundle, plan } from './promote/bundle.ts';
import { eventually, noLibvirt } from './support.ts';

/**
 * The daemon as a process of its own, on real guests. FORESIZE_RIG_KILLS sets how often it is killed, FORESIZE_RIG_DAYS
 * for how many days of the guests' load, of a minute each, the loop is closed; without, for a third of one and for one.
 */
const rig = inject('rig');
const skipped = noLibvirt ?? rig.skipped;
const KILLS = Number(process.env['FORESIZE_RIG_KILLS'] ?? 5);
const DAYS = Number(process.env['FORESIZE_RIG_DAYS'] ?? 0);
const DAY_MS = 60_000;
/** A quota in us of 100 ms: a tenth of a core, a quarter of what the guests' load takes. */
const TOO_SMALL = 10_000;
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
/** Gives one process a wall clock of its own; the machine's is not touched. */
const FAKETIME = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file));
if (!FAKETIME) console.log('rig: SKIPPED: the clock is not set: no libfaketime; run test/rig/install.sh');
const GUESTS = ['rig-web', 'rig-db', 'rig-net'] as const;
const ALL = [...GUESTS, 'rig-unlisted'] as const;

const virsh = (...args: string[]): string =>
  execFileSync('virsh', ['-q', '-c', rig.uri, ...args], { encoding: 'utf8' });
const libvirtd = (verb: string) =>
  execFileSync('sh', [fileURLToPath(new URL('../rig/libvirtd.sh', import.meta.url)), verb]);
const quota = (vm: string) => Number(/global_quota\s*: (-?\d+)/.exec(virsh('schedinfo', vm))![1]);
const memory = (vm: string) => Number(/actual (\d+)/.exec(virsh('dommemstat', vm))![1]);
/** All that a daemon could have changed. */
const limits = (vm: string) => [virsh('schedinfo', vm), virsh('vcpucount', vm), memory(vm)];

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<{ code: number | null; log: string }>;
  log(): string;
}

describe.skipIf(skipped)(`daemon on real guests${skipped ? ` (SKIPPED: ${skipped})` : ''}`, () => {
  let dir = '';
  const folders: string[] = [];
  const running = new Set<ChildProcess>();

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'foresize-live-'));
    folders.push(dir);
    for (const vm of GUESTS) virsh('schedinfo', vm, '--live', 'global_quota=-1');
    configure();
  });
  afterEach(async () => {
    for (const child of running) child.kill('SIGKILL');
    for (const vm of GUESTS) virsh('setmem', vm, vm === 'rig-net' ? '192M' : '256M', '--live');
  });
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });

  /** CPU and memory only: what every kernel under the rig can do. A busy host's contention counts as pressure. */
  function configure(more = '', uri = rig.uri, watchdog = '6s'): void {
    const domains = GUESTS.map(
      (vm, i) =>
        `  - { domain: ${vm}, application: app${i}, user: u, cpu: { min: 0.1 }, diskIo: { max: 0 }, network: { max: 0 } }`,
    );
    writeFileSync(join(dir, 'domains.yaml'), `domains:\n${domains.join('\n')}\n`);
    writeFileSync(
      join(dir, 'live.yaml'),
      `apiVersion: foresize/v1
uri: ${uri}
mapping: ${join(dir, 'domains.yaml')}
tick: 2s
sample: 1s
watchdog: ${watchdog}
policies:
  follow:
    { kind: quantile, quantile: 0.9, horizon: 1, margin: 0.2, memory: { quantile: 0.9, horizon: 1, margin: 0.3 },
      forecast: { model: last-value } }
policy: follow
guards: { pressure: 1, cooldownDown: 2 }
${more}`,
    );
  }

  const start = (...args: string[]) => startIn({}, ...args);

  function startIn(env: NodeJS.ProcessEnv, ...args: string[]): Running {
    const child = spawn(
      process.execPath,
      [CLI, 'live', '--config', join(dir, 'live.yaml'), '--journal', join(dir, 'journal'), ...args],
      { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } },
    );
    running.add(child);
    let log = '';
    child.stderr!.on('data', (chunk) => {
      log += chunk;
    });
    const ended = new Promise<{ code: number | null; log: string }>((resolve) => {
      child.once('close', (code) => {
        running.delete(child);
        resolve({ code, log });
      });
    });
    return { process: child, ended, log: () => log };
  }

  async function stop(daemon: Running): Promise<void> {
    daemon.process.kill('SIGTERM');
    const { code, log } = await daemon.ended;
    expect(code, log).toBe(0);
  }

  const says = (daemon: Running, text: string | RegExp) =>
    eventually(`the daemon says ${text}`, () => daemon.log().search(text) >= 0);

  async function read(): Promise<{
    entries: Entry[];
    frames: JournaledFrame[];
    report: ReplayReport;
    fidelity: FidelityReport;
  }> {
    const journal = Journal.attach(join(dir, 'journal'), false);
    try {
      const items = [...journal.read()];
      const entries = items.flatMap(({ entry }) => entry ?? []);
      const frames = items.flatMap(({ frame }) => frame ?? []);
      return {
        entries,
        frames,
        report: await replay(journal),
        fidelity: await fidelity(recordingOf(journal)),
      };
    } finally {
      await journal.close();
    }
  }

  const ofKind = <K extends Entry['kind']>(entries: Entry[], kind: K) =>
    entries.filter((entry): entry is Extract<Entry, { kind: K }> => entry.kind === kind);

  /** No tick's resizes were written twice, and each has its outcomes. */
  function expectNothingTwice(entries: Entry[]): void {
    const intents = ofKind(entries, 'intents').map(({ tick }) => tick);
    const outcomes = ofKind(entries, 'outcomes').map(({ tick }) => tick);
    expect(new Set(intents).size).toBe(intents.length);
    expect(outcomes.toSorted((a, b) => a - b)).toEqual(intents.toSorted((a, b) => a - b));
  }

  it('touches nothing in a dry run', async () => {
    const before = ALL.map(limits);
    const daemon = start();
    await says(daemon, 'not done: dry run');
    await stop(daemon);
    expect(ALL.map(limits)).toEqual(before);
    const { report, entries } = await read();
    expect(report).toMatchObject({ firstDifference: undefined });
    expect(ofKind(entries, 'original')).toEqual([]);
  });

  it('closes the loop: allocations follow, starvation falls, limits are put back', {
    timeout: 2 * DAYS * DAY_MS + 600_000,
  }, async () => {
    const [stillMs, followMs] = DAYS > 0 ? [DAYS * DAY_MS, DAYS * DAY_MS] : [DAY_MS / 3, DAY_MS];
    const watched = async (ms: number, ...args: string[]) => {
      const daemon = start(...args);
      await says(daemon, 'started');
      await sleep(ms);
      await stop(daemon);
      const run = await read();
      expect(run.report).toMatchObject({ firstDifference: undefined });
      const { same, ticks, decisions } = run.report;
      console.log(`rig: ${same} of ${ticks} ticks the same, ${decisions} decisions`);
      console.log(`rig: ${/"(all VMs were read in [^"]*)"/.exec(daemon.log())![1]}`);
      return { ...run, perVm: GUESTS.toSorted().map((_, vm) => loopOf(run.frames.slice(2), vm)) };
    };
    for (const vm of GUESTS) virsh('schedinfo', vm, '--live', `global_quota=${TOO_SMALL}`);
    const still = await watched(stillMs);
    rmSync(join(dir, 'journal'), { recursive: true });
    const unlisted = limits('rig-unlisted');
    const followed = await watched(followMs, '--apply');
    GUESTS.toSorted().forEach((vm, i) => {
      const [a, b] = [still.perVm[i]!, followed.perVm[i]!];
      console.log(
        `rig: ${vm}: vCPU delay ${percent(a.delay)} static, ${percent(b.delay)} with the daemon; ` +
          `CPU granted ${a.granted.toFixed(3)} and ${b.granted.toFixed(3)} cores, used ${a.used.toFixed(3)} and ${b.used.toFixed(3)}; ` +
          `correlation of granted with used one tick before ${b.follows.toFixed(2)}`,
      );
    });
    followed.perVm.forEach(({ delay }, i) => {
      expect(delay).toBeLessThan(still.perVm[i]!.delay);
    });
    expect(limits('rig-unlisted')).toEqual(unlisted);
    expect(GUESTS.map(quota)).toEqual([TOO_SMALL, TOO_SMALL, TOO_SMALL]);
    const { frames, entries, fidelity: close } = followed;
    const { allocation } = close.resources.cpu!;
    console.log(
      `rig: CPU allocation simulated within ${percent(allocation.meanError)}, memory within ` +
        `${percent(close.resources.memory!.allocation.meanError)}, at a load of ${loadavg()[0]!.toFixed(1)}; limits are back`,
    );
    expect(allocation.meanError).toBeLessThan(0.1);
    const granted = new Set(frames.map(({ allocation }) => allocation[CPU]));
    expect(granted.size).toBeGreaterThan(3);
    const shrunk = frames.some(({ allocation, vms }) =>
      Array.from(vms.keys()).some((row) => allocation[row * R + MEMORY]! < 190),
    );
    expect(shrunk).toBe(true);
    expectNothingTwice(entries);
  });

  it('takes a bundle through its stages, seen by the API, and none that was changed', async () => {
    // Of what is built: that of the sources is another.
    const built = fileURLToPath(new URL('../../dist/sim/code-version.js', import.meta.url));
    const { codeVersion } = (await import(built)) as { codeVersion(): string };
    const token = '0123456789abcdef0123456789abcdef';
    writeFileSync(join(dir, 'token'), token, { mode: 0o600 });
    const { evidence, manifest } = bundle();
    const of = (measure: string, high: number) => ({ measure, unit: '', estimate: high / 2, low: 0, high });
    const { policies, guards } = parse(readFileSync(join(dir, 'live.yaml'), 'utf8'));
    const controller = controllerSchema.parse({ policies, guards, policy: 'follow' });
    const { folder, id } = writeBundle(dir, {
      codeVersion: codeVersion(),
      createdAt: manifest.createdAt,
      config: { controller, stepMs: 2000, seed: 1 },
      evidence: { ...evidence, observed: [of('costRatio', 100), of('resizesPerVmDay', 1e9)] },
      gates: [],
      // Some 8 s of three VMs.
      stages: plan({ canaryShare: 0.3, minVmDays: 0.0003, automatic: true }),
      scenarioText: 'name: rig\n',
      models: [],
    });
    writeFileSync(
      join(dir, 'live.yaml'),
      `{ apiVersion: foresize/v1, uri: "${rig.uri}", mapping: ${join(dir, 'domains.yaml')}, tick: 2s, sample: 1s,
        watchdog: 6s, bundle: ${folder}, api: { port: 0, tokenFile: ${join(dir, 'token')} } }`,
    );
    const daemon = start('--apply');
    await says(daemon, 'the API listens');
    const [base] = /http:[^" ]*/.exec(daemon.log())!;
    const stage = async () => (await fetch(`${base}/api/v1/stage`)).json() as Promise<StageView>;
    expect(await stage()).toMatchObject({ bundle: { id } });
    await says(daemon, 'shadow -> canary');
    await says(daemon, 'canary -> all');
    await says(daemon, /cpu .* applied/);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ reason: 'enough' });
    await fetch(`${base}/api/v1/stage/rollback`, { method: 'POST', headers, body });
    expect(await stage()).toMatchObject({ name: 'shadow', inScope: 0 });
    expect(GUESTS.map(quota)).toEqual([-1, -1, -1]);
    await stop(daemon);
    expect((await read()).report).toMatchObject({ firstDifference: undefined });
    writeFileSync(join(folder, 'stages.json'), '{}');
    const { code, log } = await start('--apply').ended;
    expect([code, log]).toEqual([4, expect.stringContaining('BUNDLE_TAMPERED')]);
  });

  it(`loses nothing and does nothing twice when it is killed ${KILLS} times`, {
    timeout: KILLS * 60_000 + 120_000,
  }, async () => {
    const before = ALL.map(limits);
    const moments: number[] = [];
    for (let i = 0; i < KILLS; i++) {
      const daemon = start('--apply');
      await says(daemon, i % 3 === 0 ? 'applied' : 'started');
      const ms = Math.floor(Math.random() * 5000);
      moments.push(ms);
      await sleep(ms);
      daemon.process.kill('SIGKILL');
      await daemon.ended;
    }
    const daemon = start('--apply');
    await says(daemon, 'applied');
    await stop(daemon);
    const { entries, report } = await read();
    console.log(
      `rig: killed after ${moments.join(', ')} ms; ${report.same} of ${report.ticks} ticks the same, ${report.cutShort} cut short`,
    );
    expect(report).toMatchObject({ firstDifference: undefined, sessions: KILLS + 1 });
    expectNothingTwice(entries);
    const after = ALL.map(limits);
    expect(after.map(([schedule]) => schedule)).toEqual(before.map(([schedule]) => schedule));
    expect(after.at(-1)).toEqual(before.at(-1));
    await eventually('memory is back', () => memory('rig-db') === 262_144);
  });

  it('leaves no VM throttled when it is gone: the watchdog lifts the limits', async () => {
    const daemon = start('--apply');
    await says(daemon, /cpu .* applied/);
    daemon.process.kill('SIGKILL');
    await daemon.ended;
    expect(GUESTS.map(quota).some((q) => q > 0)).toBe(true);
    await eventually('limits are lifted', () => GUESTS.every((vm) => quota(vm) === -1));
    await eventually('it is written down', async () => ofKind((await read()).entries, 'restored').length > 0);
  });

  it('leaves nothing of a killed session in force when a dry run takes its place', async () => {
    configure('', rig.uri, '10m');
    const killed = start('--apply');
    await says(killed, /cpu .* applied/);
    killed.process.kill('SIGKILL');
    await killed.ended;
    expect(GUESTS.map(quota).some((q) => q > 0)).toBe(true);
    const daemon = start();
    await says(daemon, 'started as a dry run');
    expect(GUESTS.map(quota)).toEqual([-1, -1, -1]);
    await stop(daemon);
    const { entries, report } = await read();
    expect(ofKind(entries, 'restored')).toMatchObject([{ by: 'a dry run' }]);
    expect(report).toMatchObject({ sessions: 2, firstDifference: undefined });
  });

  it('is taken for gone when it hangs, and cannot come back', async () => {
    const daemon = start('--apply');
    await says(daemon, /cpu .* applied/);
    daemon.process.kill('SIGSTOP');
    await daemon.ended;
    await eventually('limits are lifted', () => GUESTS.every((vm) => quota(vm) === -1));
  });

  it('goes on when libvirtd is restarted, or killed', async () => {
    const daemon = start('--apply');
    await says(daemon, 'applied');
    libvirtd('kill');
    await says(daemon, 'lost the connection');
    libvirtd('start');
    await says(daemon, 'connected again');
    const before = daemon.log().length;
    await eventually('it resizes again', () => daemon.log().slice(before).includes('applied'));
    await stop(daemon);
    expect(GUESTS.map(quota)).toEqual([-1, -1, -1]);
    expect((await read()).report).toMatchObject({ firstDifference: undefined });
  });

  it('goes on when a guest ends in the middle of being resized', async () => {
    const daemon = start('--apply');
    await says(daemon, /rig-net .* applied/);
    virsh('destroy', 'rig-net');
    await says(daemon, 'rig-net went');
    virsh('create', `${rig.dir}/rig-net.xml`);
    await says(daemon, 'rig-net came');
    await stop(daemon);
    const { report, entries } = await read();
    expect(report).toMatchObject({ firstDifference: undefined });
    expectNothingTwice(entries);
    expect(quota('rig-net')).toBe(-1);
  });

  it('freezes a VM whose monitor hangs, and goes on when it answers again', async () => {
    const pid = readFileSync(`${rig.dir}/run/qemu/rig-net.pid`, 'utf8').trim();
    const daemon = start('--apply');
    await says(daemon, /rig-net .* applied/);
    execFileSync('kill', ['-STOP', pid]);
    try {
      await sleep(15_000);
    } finally {
      execFileSync('kill', ['-CONT', pid]);
    }
    const before = daemon.log().length;
    await eventually('it is resized again', () => /rig-net .* applied/.test(daemon.log().slice(before)));
    await stop(daemon);
    expect(quota('rig-net')).toBe(-1);
    expect((await read()).report).toMatchObject({ firstDifference: undefined });
  });

  it('stops acting on a full disk, says so, and goes on when there is room', async () => {
    const disk = join(dir, 'journal');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
    try {
      const daemon = start('--apply');
      await says(daemon, 'applied');
      expect(() => writeFileSync(join(disk, 'fill'), Buffer.alloc(8 << 20))).toThrow('ENOSPC');
      await says(daemon, 'JOURNAL_FULL');
      await eventually('limits are lifted', () => GUESTS.every((vm) => quota(vm) === -1));
      rmSync(join(disk, 'fill'));
      await says(daemon, 'ticks go through again');
      const before = daemon.log().length;
      await eventually('it resizes again', () => daemon.log().slice(before).includes('applied'));
      await stop(daemon);
      const { report, entries } = await read();
      expect(report).toMatchObject({ firstDifference: undefined });
      expectNothingTwice(entries);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('does not shrink memory on balloon statistics that stand still', async () => {
    virsh('dommemstat', 'rig-db', '--period', '0', '--live');
    try {
      // A report that is 30 s old is not used any more.
      await sleep(31_000);
      const daemon = start('--apply');
      await says(daemon, /rig-db cpu .* applied/);
      await sleep(8000);
      expect(memory('rig-db')).toBe(262_144);
      await stop(daemon);
    } finally {
      virsh('dommemstat', 'rig-db', '--period', '1', '--live');
    }
  });

  it('says what is wrong, and touches nothing, where it may not write or nobody answers', async () => {
    const before = ALL.map(limits);
    const ended = async (uri: string): Promise<string> => {
      configure('', uri);
      const { code, log } = await start('--apply').ended;
      expect(code).toBeGreaterThan(0);
      return log;
    };
    expect(await ended(rig.uri.replace('libvirt-sock', 'libvirt-sock-ro'))).toContain('LIBVIRT_READ_ONLY');
    expect(await ended(rig.uri.replace('libvirt-sock', 'nothing'))).toContain('LIBVIRT_UNREACHABLE');
    expect(await ended('"not a uri"')).toContain('LIBVIRT_BAD_URI');
    configure('', rig.uri);
    writeFileSync(join(dir, 'domains.yaml'), 'domains:\n  - { domain: nobody, application: a, user: u }\n');
    expect((await start('--apply').ended).log).toMatch(/MAPPING_UNKNOWN_DOMAIN.*domains.yaml:2/);
    expect(ALL.map(limits)).toEqual(before);
  });

  it.skipIf(!FAKETIME)('goes on when the clock is set an hour forward, and two back', async () => {
    const clock = join(dir, 'clock');
    writeFileSync(clock, '+0');
    const env = {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    const daemon = startIn(env, '--apply');
    await says(daemon, 'applied');
    const set = async (offset: string, told: string) => {
      writeFileSync(clock, offset);
      await says(daemon, told);
      const before = daemon.log().length;
      await eventually('it resizes again', () => daemon.log().slice(before).includes('applied'));
    };
    await set('+3600', 'set 3600.0 s forward');
    await set('-3600', 'set 7200.0 s back');
    await stop(daemon);
    expect(GUESTS.map(quota)).toEqual([-1, -1, -1]);
    const { entries, report } = await read();
    expect(report).toMatchObject({ firstDifference: undefined, sessions: 2 });
    expectNothingTwice(entries);
  });

  it('does not run twice on one journal', async () => {
    const daemon = start();
    await says(daemon, 'started');
    const { code, log } = await start().ended;
    expect(log).toContain('JOURNAL_LOCKED');
    expect(code).toBe(1);
    await stop(daemon);
  });
});

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** What became of the CPU of one VM, by row: means, and how closely what was granted follows what was used. */
function loopOf(frames: readonly JournaledFrame[], row: number) {
  const of = (column: 'usage' | 'pressure' | 'allocation') => frames.map((f) => f[column][row * R + CPU]!);
  const mean = (list: readonly number[]) => {
    const known = list.filter((x) => !Number.isNaN(x));
    return known.reduce((sum, x) => sum + x, 0) / known.length;
  };
  const [used, granted] = [of('usage'), of('allocation')];
  const pairs = granted
    .slice(1)
    .flatMap((to, i) => (Number.isNaN(used[i]!) ? [] : [[used[i]!, to] as const]));
  const [u, g] = [mean(pairs.map(([x]) => x)), mean(pairs.map(([, y]) => y))];
  const moment = (f: (x: number, y: number) => number) => mean(pairs.map(([x, y]) => f(x - u, y - g)));
  return {
    delay: mean(of('pressure')),
    used: mean(used),
    granted: mean(granted),
    follows: moment((x, y) => x * y) / Math.sqrt(moment((x) => x * x) * moment((_, y) => y * y)),
  };
}
