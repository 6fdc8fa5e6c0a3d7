import koffi from 'koffi';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from '../../../core/fleet.ts';
import { IntentBatch, OUTCOME } from '../../../core/intents.ts';
import { CPU, Frame, MEMORY, R } from '../../../core/model.ts';
import { LibvirtHypervisor, type ResizeReport } from '../../../live/libvirt/actuation.ts';
import { LibvirtConnection } from '../../../live/libvirt/connection.ts';
import { DomainDirectory } from '../../../live/libvirt/domains.ts';
import { describeEvent } from '../../../live/libvirt/events.ts';
import { type LibvirtHost, openHost } from '../../../live/libvirt/host.ts';
import { METADATA_URI } from '../../../live/libvirt/session.ts';
import { LibvirtTelemetry } from '../../../live/libvirt/telemetry.ts';
import { eventually, noLibvirt } from '../support.ts';

/**
 * libvirt's own test driver: one domain, `test`, that lives in this process and is shared by its connections.
 * Good for typed parameters, errors and events; it has no load and no quotas.
 */
const URI = 'test:///default';
const LIVE_AND_CONFIG = 3;

/** What an operator would do to the domain meanwhile, by calls Foresize itself never makes. */
function operator() {
  const lib = koffi.load('libvirt.so.0');
  const conn = lib.func('void *virConnectOpen(const char *)')(URI);
  const domain = lib.func('void *virDomainLookupByName(void *, const char *)')(conn, 'test');
  const simple = (name: string) => () => lib.func(`int ${name}(void *)`)(domain) as number;
  const setMetadata = lib.func(
    'int virDomainSetMetadata(void *, int, const char *, const char *, const char *, unsigned int)',
  );
  return {
    suspend: simple('virDomainSuspend'),
    resume: simple('virDomainResume'),
    destroy: simple('virDomainDestroy'),
    start: simple('virDomainCreate'),
    tag: (xml: string | null): number =>
      setMetadata(domain, 2, xml, 'foresize', METADATA_URI, LIVE_AND_CONFIG),
    setVcpus: (count: number): number =>
      lib.func('int virDomainSetVcpusFlags(void *, unsigned int, unsigned int)')(domain, count, 1),
    setMemory: (kib: number): number =>
      lib.func('int virDomainSetMemoryFlags(void *, unsigned long, unsigned int)')(domain, kib, 1),
  };
}

const MAPPING = [{ domain: 'test', assignment: { application: 'shop', user: 'alice' }, where: 'map.yaml:2' }];

describe.skipIf(noLibvirt)('libvirt by its test driver', () => {
  let host: LibvirtHost;
  let control: LibvirtConnection;
  let uuid: string;
  let outside: ReturnType<typeof operator>;
  beforeAll(async () => {
    host = await openHost(URI, true);
    control = host.control!;
    uuid = (await host.telemetry.call('list'))[0]!.uuid;
    outside = operator();
  });
  beforeEach(async () => {
    await control.call('allow', [uuid]);
    outside.setVcpus(2);
    outside.setMemory(2_097_152);
  });
  afterAll(async () => {
    await host?.close();
  });

  it('answers with its driver, version and domains', async () => {
    expect(host.telemetry.host.type).toBe('TEST');
    expect(host.telemetry.host.version).toBeGreaterThan(1_000_000);
    expect(await host.telemetry.call('list')).toEqual([
      { name: 'test', uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f', active: true, metadata: undefined },
    ]);
  });

  it('passes typed parameters both ways', async () => {
    const uint = (name: string, value: number) => ({ name, type: 'uint' as const, value });
    await control.call('setBandwidth', uuid, 'testnet0', [
      uint('inbound.average', 1000),
      uint('outbound.average', 500),
      uint('outbound.peak', 4_000_000_000),
    ]);
    expect(await host.telemetry.call('bandwidth', uuid, 'testnet0')).toMatchObject({
      'inbound.average': 1000,
      'outbound.average': 500,
      'outbound.peak': 4_000_000_000,
    });
    await control.call('setBandwidth', uuid, 'testnet0', [
      uint('inbound.average', 0),
      uint('outbound.average', 0),
    ]);
  });

  it("keeps libvirt's code and words", async () => {
    await expect(control.call('setVcpus', uuid, 64)).rejects.toMatchObject({
      code: 'LIBVIRT_BAD_ARGUMENT',
      failure: { code: 8, message: expect.stringContaining('(64 > ') },
    });
    await expect(control.call('limits', '00000000-0000-0000-0000-000000000000')).rejects.toMatchObject({
      code: 'LIBVIRT_NO_DOMAIN',
      exitCode: 2,
      failure: { code: 42, message: 'Domain not found' },
    });
  });

  it('cannot write by the telemetry connection', async () => {
    await host.telemetry.call('allow', [uuid]);
    await expect(host.telemetry.call('setMemory', uuid, 1_048_576)).rejects.toMatchObject({
      code: 'LIBVIRT_READ_ONLY',
      failure: { code: 29 },
    });
  });

  it('refuses to write to a domain that is not allowed, next to the call', async () => {
    await control.call('allow', []);
    await expect(control.call('setMemory', uuid, 1_048_576)).rejects.toMatchObject({
      code: 'DOMAIN_NOT_MANAGED',
    });
    expect((await host.telemetry.call('sample', uuid, ['memory'])).info.memoryKib).toBe(2_097_152);
  });

  it.each([
    ['a URI of no driver', 'not a uri', 'LIBVIRT_BAD_URI', 2],
    ['a socket that is not there', 'qemu+unix:///system?socket=/nonexistent', 'LIBVIRT_UNREACHABLE', 1],
    ['a port nobody listens on', 'qemu+tcp://127.0.0.1:1/system', 'LIBVIRT_UNREACHABLE', 1],
  ])('%s is a coded error', async (_, uri, code, exitCode) => {
    await expect(openHost(uri, true)).rejects.toMatchObject({ code, exitCode });
  });

  it('a library that is not there is a coded error', async () => {
    const opening = LibvirtConnection.open({ uri: URI, library: 'libvirt-that-is-not-here.so.0' });
    await expect(opening).rejects.toMatchObject({ code: 'LIBVIRT_MISSING', exitCode: 1 });
  });

  it('a closed connection says so', async () => {
    const connection = await LibvirtConnection.open({ uri: URI });
    await connection.close();
    await expect(connection.call('list')).rejects.toMatchObject({ code: 'LIBVIRT_DISCONNECTED' });
  });

  it('delivers lifecycle events', async () => {
    const seen: string[] = [];
    const unlisten = host.telemetry.listen({ onEvent: (event) => seen.push(describeEvent(event)) });
    outside.suspend();
    outside.resume();
    await eventually('both events', () => seen.length >= 2);
    unlisten();
    expect(seen).toEqual(['test: suspended', 'test: resumed']);
  });

  it('keeps the list of VMs true as tags and domains come and go', async () => {
    const directory = new DomainDirectory(host.telemetry, control, []);
    await directory.start();
    expect(directory.changes()).toEqual({ departed: [], arrived: [] });
    await expect(control.call('setMemory', uuid, 1_048_576)).rejects.toMatchObject({
      code: 'DOMAIN_NOT_MANAGED',
    });

    outside.tag('<vm application="shop" user="alice"><cpu max="1"/></vm>');
    await eventually('the tag to be seen', () => directory.size === 1);
    const { arrived } = directory.changes();
    expect(arrived).toMatchObject([
      { vmId: 'test', applicationId: 'shop', userId: 'alice', max: [1, 8192, 0, 0] },
    ]);
    await control.call('setMemory', uuid, 3_145_728);

    outside.tag('<vm application="shop" user="alice"><cpu max="2"/></vm>');
    await eventually('the new bounds', () => directory.get('test')?.spec.max[0] === 2);
    expect(directory.changes()).toMatchObject({
      departed: [],
      arrived: [{ vmId: 'test', max: [2, 8192, 0, 0] }],
    });

    outside.destroy();
    await eventually('the end of the domain', () => directory.size === 0);
    outside.start();
    await eventually('its new start', () => directory.size === 1);
    expect(directory.changes()).toMatchObject({ departed: ['test'], arrived: [{ vmId: 'test' }] });

    outside.tag(null);
    await eventually('the tag to be gone', () => directory.size === 0);
    expect(directory.changes()).toEqual({ departed: ['test'], arrived: [] });
    directory.stop();
  });

  it('a mapping entry that names no domain is found at the start', async () => {
    const entry = { ...MAPPING[0]!, domain: 'tset' };
    await expect(new DomainDirectory(host.telemetry, control, [entry]).start()).rejects.toMatchObject({
      code: 'MAPPING_UNKNOWN_DOMAIN',
      exitCode: 2,
    });
  });

  it('resizes what it can, and says of the rest why not', async () => {
    const directory = new DomainDirectory(host.telemetry, control, MAPPING);
    await directory.start();
    outside.setVcpus(1);
    const fleet = new Fleet();
    const frame = fleet.register(new Frame());
    const slot = fleet.admit(directory.changes().arrived[0]!, 0);
    const stranger = fleet.admit({ ...fleet.specs[slot]!, vmId: 'stranger' }, 0);
    const reports: ResizeReport[] = [];
    const hypervisor = new LibvirtHypervisor(control, fleet, directory, { onReport: (r) => reports.push(r) });
    const intents = new IntentBatch();
    intents.add(slot, CPU, 1, 2);
    intents.add(slot, MEMORY, 2048, 4096);
    intents.add(slot, MEMORY, 4096, 1024);
    intents.add(slot, CPU, 2, 0.5);
    intents.add(stranger, CPU, 2, 1);
    await hypervisor.apply(0, intents);
    const { applied, refused } = OUTCOME;
    expect([...intents.outcome.subarray(0, 5)]).toEqual([applied, applied, refused, refused, refused]);
    const problems = Object.fromEntries(
      reports.map((r) => [`${r.vmId} ${r.resource} ${r.to}`, r.problem?.code]),
    );
    expect(problems).toEqual({
      'test cpu 2': undefined,
      'test memory 4096': undefined,
      'test memory 1024': 'MEMORY_UNKNOWN',
      'test cpu 0.5': 'CPU_NO_QUOTA',
      'stranger cpu 1': 'DOMAIN_NOT_MANAGED',
    });

    const telemetry = new LibvirtTelemetry(host.telemetry, fleet, directory);
    await telemetry.sample();
    telemetry.read(Date.now(), frame);
    expect([...frame.allocation.subarray(slot * R, slot * R + R)]).toEqual([2, 4096, 0, 0]);
    expect(frame.sampledAt[stranger]).toBe(Number.NEGATIVE_INFINITY);
    directory.stop();
  });
});
