import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { Fleet } from '../../../core/fleet.ts';
import { IntentBatch, OUTCOME } from '../../../core/intents.ts';
import { CPU, DISK_IO, Frame, MEMORY, NETWORK, R } from '../../../core/model.ts';
import { LibvirtHypervisor, type ResizeReport } from '../../../live/libvirt/actuation.ts';
import { calibrate } from '../../../live/libvirt/calibrate.ts';
import { LibvirtConnection } from '../../../live/libvirt/connection.ts';
import { DomainDirectory } from '../../../live/libvirt/domains.ts';
import { type LibvirtHost, openHost } from '../../../live/libvirt/host.ts';
import { METADATA_URI } from '../../../live/libvirt/session.ts';
import { LibvirtTelemetry } from '../../../live/libvirt/telemetry.ts';
import { hypervisorParams } from '../../../sim/cluster/hypervisor-model.ts';
import { eventually, noLibvirt } from '../support.ts';

/** The real thing: QEMU guests under the rig's libvirtd, with load that goes up and down. See test/rig/start.sh. */
const rig = inject('rig');
const skipped = noLibvirt ?? rig.skipped;
const NOBODY = 65_534;

const virsh = (...args: string[]): string =>
  execFileSync('virsh', ['-q', '-c', rig.uri, ...args], { encoding: 'utf8' });
const libvirtd = (verb: string) =>
  execFileSync('sh', [fileURLToPath(new URL('../../rig/libvirtd.sh', import.meta.url)), verb]);
/** Sockets this process has open. */
function sockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}
const libvirtdPid = () => Number(readFileSync(`${rig.dir}/libvirtd.pid`, 'utf8'));

describe.skipIf(skipped)(`real guests${skipped ? ` (SKIPPED: ${skipped})` : ''}`, () => {
  let host: LibvirtHost;
  let directory: DomainDirectory;
  let telemetry: LibvirtTelemetry;
  let hypervisor: LibvirtHypervisor;
  const fleet = new Fleet();
  const frame = fleet.register(new Frame());
  const reports: ResizeReport[] = [];
  const readingProblems: unknown[] = [];

  const slotOf = (vmId: string): number => fleet.slotOf(vmId)!;
  const admitChanges = () => {
    const { departed, arrived } = directory.changes();
    for (const vmId of departed) fleet.retire(vmId);
    for (const spec of arrived) fleet.admit(spec, 0);
    return { departed, arrived: arrived.map(({ vmId }) => vmId).sort() };
  };
  const look = async () => {
    await telemetry.sample();
    telemetry.read(Date.now(), frame);
  };
  /** A frame over the next `ms`, without what came before. */
  const watch = async (ms: number) => {
    await look();
    await sleep(ms);
    await look();
  };
  const at = (column: Float64Array, vmId: string, resource: number): number =>
    column[slotOf(vmId) * R + resource]!;
  const resize = (vmId: string, resource: number, to: number) =>
    hypervisor.resize(vmId, resource, at(frame.allocation, vmId, resource), to);

  beforeAll(async () => {
    host = await openHost(rig.uri, true);
    directory = new DomainDirectory(host.telemetry, host.control, []);
    await directory.start();
    telemetry = new LibvirtTelemetry(host.telemetry, fleet, directory, (_, problem) =>
      readingProblems.push(problem),
    );
    hypervisor = new LibvirtHypervisor(host.control!, fleet, directory, { onReport: (r) => reports.push(r) });
  });
  afterAll(async () => {
    directory?.stop();
    await host?.close();
  });
  afterEach(() => {
    reports.length = 0;
    readingProblems.length = 0;
  });

  it('finds the tagged VMs, and no other', () => {
    expect(admitChanges()).toEqual({ departed: [], arrived: ['rig-db', 'rig-net', 'rig-web'] });
    expect(fleet.specs[slotOf('rig-db')]).toMatchObject({
      applicationId: 'shop',
      userId: 'bob',
      min: [0.1, 64, 65_536, 0],
      max: [2, 256, 67_108_864, 0],
    });
  });

  it('has no rates after a first look', async () => {
    await look();
    expect(at(frame.usage, 'rig-web', CPU)).toBeNaN();
  });

  it('sees load: CPU, memory, disk and network', async () => {
    // On a busy host it may take a while until a guest comes to its disk.
    await watch(5000);
    for (let k = 0; k < 5 && !(at(frame.usage, 'rig-db', DISK_IO) > 100_000); k++) await watch(5000);
    expect(readingProblems).toEqual([]);
    for (const vmId of ['rig-web', 'rig-db', 'rig-net']) {
      expect(at(frame.usage, vmId, CPU)).toBeGreaterThan(0);
      // The kernel alone takes some 60 MiB.
      expect(at(frame.usage, vmId, MEMORY)).toBeGreaterThan(30);
      expect(at(frame.usage, vmId, MEMORY)).toBeLessThan(at(frame.allocation, vmId, MEMORY));
      expect(frame.sampledAt[slotOf(vmId)]).toBeLessThanOrEqual(Date.now());
    }
    expect(at(frame.usage, 'rig-db', DISK_IO)).toBeGreaterThan(100_000);
    expect(at(frame.usage, 'rig-net', NETWORK)).toBeGreaterThan(10_000);
    expect(at(frame.usage, 'rig-web', NETWORK)).toBeNaN();
    expect(at(frame.allocation, 'rig-web', CPU)).toBeGreaterThan(0);
    expect(at(frame.allocation, 'rig-web', DISK_IO)).toBe(67_108_864);
  });

  it('throttles the CPU, which shows as usage at the quota and as pressure', async () => {
    expect(await resize('rig-web', CPU, 0.1)).toMatchObject({ outcome: OUTCOME.applied, granted: 0.1 });
    expect(virsh('schedinfo', 'rig-web')).toMatch(/global_quota\s*: 10000\n/);
    await watch(8000);
    expect(at(frame.allocation, 'rig-web', CPU)).toBe(0.1);
    expect(at(frame.usage, 'rig-web', CPU)).toBeLessThan(0.13);
    expect(at(frame.pressure, 'rig-web', CPU)).toBeGreaterThan(0.2);
  });

  it('grows beyond the vCPUs it has by adding some, and never takes one away', async () => {
    const vcpus = () => Number(/current\s+live\s+(\d+)/.exec(virsh('vcpucount', 'rig-web'))?.[1]);
    // Other tests have grown it already, perhaps to the 3 it can have.
    const wish = Math.min(vcpus() + 0.5, 3);
    expect(await resize('rig-web', CPU, wish)).toMatchObject({ outcome: OUTCOME.applied, granted: wish });
    expect(vcpus()).toBe(Math.ceil(wish));
    expect(await resize('rig-web', CPU, 0.5)).toMatchObject({ outcome: OUTCOME.applied, granted: 0.5 });
    expect(vcpus()).toBe(Math.ceil(wish));
  });

  it('takes a quota back if the vCPUs that go with it cannot be had', async () => {
    const report = await resize('rig-web', CPU, 9);
    expect(report).toMatchObject({
      outcome: OUTCOME.failed,
      granted: 0.5,
      problem: { code: 'LIBVIRT_BAD_ARGUMENT', failure: { code: 8 } },
      rollbackProblem: undefined,
    });
    expect(report.problem?.message).toContain('(rig-web cpu)');
    expect(virsh('schedinfo', 'rig-web')).toMatch(/global_quota\s*: 50000\n/);
  });

  it('moves the balloon both ways, and not below the working set', async () => {
    expect(await resize('rig-db', MEMORY, 200)).toMatchObject({ outcome: OUTCOME.applied });
    const floored = await resize('rig-db', MEMORY, 20);
    await look();
    // Either it stopped above what is in use, or the guest's own load rose meanwhile and it went back.
    expect([OUTCOME.applied, OUTCOME.accepted, OUTCOME.failed, OUTCOME.refused]).toContain(floored.outcome);
    expect(at(frame.allocation, 'rig-db', MEMORY)).toBeGreaterThan(60);
    const grown = await resize('rig-db', MEMORY, 256);
    expect(grown).toMatchObject({ outcome: OUTCOME.applied });
    expect(grown.granted).toBeCloseTo(256, 0);
  });

  it('limits all disks of a VM together', async () => {
    expect(await resize('rig-db', DISK_IO, 262_144)).toMatchObject({
      outcome: OUTCOME.applied,
      granted: 262_144,
    });
    for (const disk of ['vda', 'vdb']) {
      expect(virsh('blkdeviotune', 'rig-db', disk)).toMatch(
        /total_bytes_sec: 262144\n[\s\S]*group_name\s*: foresize\n/,
      );
    }
    // What had queued up before the limit drains first.
    await watch(2000);
    await watch(10_000);
    expect(at(frame.allocation, 'rig-db', DISK_IO)).toBe(262_144);
    expect(at(frame.usage, 'rig-db', DISK_IO)).toBeLessThan(262_144 * 1.15);
    expect(await resize('rig-db', DISK_IO, 67_108_864)).toMatchObject({ outcome: OUTCOME.applied });
  });

  it('limits an interface, or leaves it as it was where the kernel cannot', async () => {
    const before = virsh('domiftune', 'rig-net', 'rig-tap');
    const report = await resize('rig-net', NETWORK, 125_000);
    if (report.outcome === OUTCOME.applied) {
      expect(report.granted).toBe(125_000);
      expect(virsh('domiftune', 'rig-net', 'rig-tap')).toMatch(
        /inbound.average: 125\n[\s\S]*outbound.average: 125\n/,
      );
    } else {
      expect(report).toMatchObject({ outcome: OUTCOME.failed, problem: { code: 'LIBVIRT_FAILED' } });
      expect(report.problem?.message).toContain('tc qdisc');
      expect(report.rollbackProblem).toBeUndefined();
      expect(virsh('domiftune', 'rig-net', 'rig-tap')).toBe(before);
      // libvirt itself leaves a half-made one behind.
      expect(execFileSync('tc', ['qdisc', 'show', 'dev', 'rig-tap'], { encoding: 'utf8' })).not.toContain(
        'htb',
      );
    }
  });

  it('carries out a batch, VMs side by side, and leaves alone what is not tagged', async () => {
    const before = virsh('dumpxml', 'rig-unlisted') + virsh('schedinfo', 'rig-unlisted');
    const unlisted = fleet.admit({ ...fleet.specs[slotOf('rig-web')]!, vmId: 'rig-unlisted' }, 0);
    const intents = new IntentBatch();
    intents.add(slotOf('rig-web'), CPU, 0.5, 0.75);
    intents.add(unlisted, CPU, 1, 0.5);
    intents.add(unlisted, MEMORY, 160, 100);
    intents.add(slotOf('rig-web'), MEMORY, 256, 220);
    intents.add(slotOf('rig-db'), CPU, 1, 0.8);
    await hypervisor.apply(Date.now(), intents);
    const { applied, refused } = OUTCOME;
    expect([...intents.outcome.subarray(0, 5)]).toEqual([applied, refused, refused, applied, applied]);
    expect(reports.filter((r) => r.vmId === 'rig-unlisted').map((r) => r.problem?.code)).toEqual([
      'DOMAIN_NOT_MANAGED',
      'DOMAIN_NOT_MANAGED',
    ]);
    const [{ uuid } = { uuid: '' }] = (await host.telemetry.call('list')).filter(
      (d) => d.name === 'rig-unlisted',
    );
    await expect(host.control!.call('setMemory', uuid, 100_000)).rejects.toMatchObject({
      code: 'DOMAIN_NOT_MANAGED',
    });
    await look();
    expect(frame.sampledAt[unlisted]).toBe(Number.NEGATIVE_INFINITY);
    fleet.retire('rig-unlisted');
    expect(virsh('dumpxml', 'rig-unlisted') + virsh('schedinfo', 'rig-unlisted')).toBe(before);
  });

  it('measures how long resizes take', async () => {
    const web = new Fleet();
    web.admit({ ...directory.get('rig-web')!.spec, max: [3, 256, 67_108_864, 0] }, 0);
    const watcher = new LibvirtTelemetry(host.telemetry, web, directory);
    const { measured, simulator } = await calibrate(web, watcher, hypervisor, 2);
    expect(Object.keys(measured)).toEqual(['cpu', 'memory', 'diskIo']);
    expect(measured.cpu?.failure).toBe(0);
    expect(measured.cpu?.latencyMs.p50).toBeGreaterThan(0);
    expect(measured.cpu?.latencyMs.p90).toBeGreaterThanOrEqual(measured.cpu!.latencyMs.p50);
    // What the simulator takes is what was measured.
    expect(hypervisorParams.parse(simulator).cpu.latencyMs).toBe(measured.cpu!.latencyMs.p50);
    console.log('calibrated on rig-web:', JSON.stringify({ measured, simulator }));
  });

  it('reconnects when libvirtd crashed and is back, and hears events again', async () => {
    const before = sockets();
    libvirtd('kill');
    await eventually('the loss', () => !host.telemetry.connected && !host.control!.connected);
    await look();
    expect(at(frame.usage, 'rig-web', CPU)).toBeNaN();
    expect(readingProblems[0]).toMatchObject({ code: 'LIBVIRT_DISCONNECTED' });
    const lost = await resize('rig-web', CPU, 1);
    expect(lost).toMatchObject({ outcome: OUTCOME.failed, problem: { code: 'LIBVIRT_DISCONNECTED' } });

    libvirtd('start');
    await host.telemetry.ready();
    await host.control!.ready();
    await watch(3000);
    expect(at(frame.usage, 'rig-web', CPU)).toBeGreaterThan(0);
    expect(await resize('rig-web', CPU, 1)).toMatchObject({ outcome: OUTCOME.applied, granted: 1 });
    await eventually('the old sockets to be closed', () => sockets() <= before);
    const tag = virsh('metadata', 'rig-net', METADATA_URI, '--live').trim();
    virsh('metadata', 'rig-net', METADATA_URI, '--live', '--remove');
    await eventually('the tag to be gone', () => directory.get('rig-net') === undefined);
    expect(admitChanges()).toEqual({ departed: ['rig-net'], arrived: [] });
    virsh('metadata', 'rig-net', METADATA_URI, '--live', '--key', 'foresize', '--set', tag);
    await eventually('the tag to be back', () => directory.get('rig-net'));
    expect(admitChanges()).toEqual({ departed: [], arrived: ['rig-net'] });
  });

  it('gives up on a daemon that hangs, makes no further calls meanwhile, and recovers', async () => {
    const impatient = await LibvirtConnection.open({ uri: rig.uri, timeoutMs: 1500 });
    process.kill(libvirtdPid(), 'SIGSTOP');
    try {
      await expect(impatient.call('list')).rejects.toMatchObject({ code: 'LIBVIRT_TIMEOUT' });
      await expect(impatient.call('list')).rejects.toMatchObject({ code: 'LIBVIRT_STUCK' });
    } finally {
      process.kill(libvirtdPid(), 'SIGCONT');
    }
    const domains = await eventually('an answer', () => impatient.call('list').catch(() => undefined));
    expect(domains.length).toBeGreaterThan(0);
    await impatient.close();
  });

  it('puts the target back when a balloon does not move', async () => {
    virsh('suspend', 'rig-db');
    const report = await resize('rig-db', MEMORY, 200);
    virsh('resume', 'rig-db');
    expect(report).toMatchObject({
      outcome: OUTCOME.failed,
      problem: { code: 'BALLOON_STUCK' },
      rollbackProblem: undefined,
    });
    await watch(3000);
    expect(at(frame.allocation, 'rig-db', MEMORY)).toBe(256);
  });

  it('takes a resize back after libvirtd crashed in the middle of it', async () => {
    virsh('suspend', 'rig-db');
    const shrinking = resize('rig-db', MEMORY, 200);
    await sleep(1000);
    libvirtd('kill');
    libvirtd('start');
    const report = await shrinking;
    virsh('resume', 'rig-db');
    expect(report).toMatchObject({
      outcome: OUTCOME.failed,
      problem: { code: 'LIBVIRT_DISCONNECTED' },
      rollbackProblem: undefined,
    });
    await host.telemetry.ready();
    await watch(3000);
    expect(at(frame.allocation, 'rig-db', MEMORY)).toBe(256);
  });

  it('reports a guest that is destroyed in the middle of its resize', async () => {
    virsh('suspend', 'rig-db');
    const shrinking = resize('rig-db', MEMORY, 200);
    await sleep(1000);
    virsh('destroy', 'rig-db');
    expect(await shrinking).toMatchObject({
      outcome: OUTCOME.failed,
      granted: Number.NaN,
      problem: { code: 'LIBVIRT_NO_DOMAIN' },
      rollbackProblem: undefined,
    });
    await eventually('the departure', () => directory.get('rig-db') === undefined);
    expect(admitChanges()).toEqual({ departed: ['rig-db'], arrived: [] });
    expect(await hypervisor.resize('rig-db', MEMORY, 256, 200)).toMatchObject({
      outcome: OUTCOME.refused,
      problem: { code: 'DOMAIN_NOT_MANAGED' },
    });
    virsh('create', `${rig.dir}/rig-db.xml`);
    await eventually('the arrival', () => directory.get('rig-db'));
    expect(admitChanges()).toEqual({ departed: [], arrived: ['rig-db'] });
  });

  it('says that a read-only socket is one, before any VM is touched', async () => {
    await expect(openHost(`${rig.uri}-ro`, true)).rejects.toMatchObject({
      code: 'LIBVIRT_READ_ONLY',
      exitCode: 1,
    });
    const watching = await openHost(`${rig.uri}-ro`, false);
    expect((await watching.telemetry.call('list')).length).toBeGreaterThan(0);
    await watching.close();
  });

  it('says that the user may not use the socket', () => {
    const script = `
      const { openHost } = await import(${JSON.stringify(new URL('../../../dist/live/libvirt/host.js', import.meta.url))});
      await openHost(${JSON.stringify(rig.uri)}, true).then(() => console.log('open'), (e) => console.log(e.code, e.message));`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      uid: NOBODY,
      gid: NOBODY,
      cwd: '/',
      env: { HOME: '/nonexistent' },
    });
    expect(said).toMatch(/^LIBVIRT_NO_PERMISSION .*Permission denied.*libvirt error 38/);
    expect(said).toContain('usermod -aG libvirt');
  });
});
