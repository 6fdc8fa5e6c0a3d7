import { LibvirtError, notManaged, VIR_ERR } from './errors.ts';
import type { Libvirt, Out, Pointer } from './ffi.ts';
import { decodeParams, encodeParams, PARAM_BYTES, type Params, type TypedParam } from './typed-params.ts';

/** XML namespace of the element by which a domain is tagged for Foresize. */
export const METADATA_URI = 'https://foresize.dev/xmlns/domain/1';

const LIVE = 1;
const VCPU_CONFIG = 2;
const METADATA_ELEMENT = 2;
const EVENT = { lifecycle: 0, metadataChange: 23 } as const;
/** VIR_DOMAIN_STATS_*. */
const STATS = { state: 1, cpu: 2, balloon: 4, vcpu: 8, interface: 16, block: 32 } as const;
/** VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT: leave out what a busy domain would make us wait for. */
const NOWAIT = 1 << 29;
/** Length of a turn of the event loop in which nothing happens, ms. */
const TURN_MS = 1;
/** Enough of them for closed connections to give their sockets back. */
const CLOSING_TURNS = 20;
const POINTER_BYTES = 8;
const UUID_BYTES = 37;

/** When something was read: wall clock for naming the time, monotonic clock for the length of an interval. */
export interface Stamp {
  /** ms since the Unix epoch. */
  readonly at: number;
  /** ms on the monotonic clock. */
  readonly mono: number;
}

export interface HostInfo {
  /** Driver, as `QEMU` or `TEST`. */
  readonly type: string;
  /** libvirt's version, as 9_000_000 for 9.0.0. */
  readonly version: number;
}

export interface DomainInfo {
  readonly name: string;
  readonly uuid: string;
  readonly active: boolean;
  /** The Foresize element of the domain's metadata, as XML. */
  readonly metadata: string | undefined;
}

/** A domain event: that the list of domains, or the tags of one, may have changed. */
export interface DomainEvent {
  readonly name: string;
  readonly uuid: string;
  readonly kind: 'lifecycle' | 'metadata';
  /** virDomainEventType of a lifecycle event. */
  readonly event: number;
}

/** What was read of a running domain at once. A part that could not be read is left out, with its problem. */
export interface RawSample {
  readonly uuid: string;
  /** Changes with every boot of the domain's process. */
  readonly id: number;
  readonly before: Stamp;
  readonly after: Stamp;
  readonly stats: Params;
  readonly info: BasicInfo;
  readonly scheduler: Params | undefined;
  /** Block I/O tune by disk, and bandwidth by interface. */
  readonly tunes: Readonly<Record<string, Params>>;
  readonly bandwidths: Readonly<Record<string, Params>>;
  readonly problems: readonly LibvirtError['failure'][];
}

/** virDomainInfo, which every driver knows. */
export interface BasicInfo {
  readonly state: number;
  readonly maxMemoryKib: number;
  readonly memoryKib: number;
  readonly vcpus: number;
}

export interface DomainLimits {
  readonly vcpus: number;
  readonly maxVcpus: number;
  readonly maxMemoryKib: number;
}

export type SampleGroup = 'cpu' | 'memory' | 'diskIo' | 'network';
const GROUP_STATS: Readonly<Record<SampleGroup, number>> = {
  cpu: STATS.cpu | STATS.vcpu,
  memory: STATS.balloon,
  diskIo: STATS.block,
  network: STATS.interface,
};

/**
 * One connection, by synchronous calls on the thread that owns it: libvirt's last error is kept per thread, so
 * that only the calling thread can read it. The methods up to `close` are what a Worker offers; each throws
 * LibvirtError, and what they take and give can be cloned.
 */
export class Session {
  readonly #lib: Libvirt;
  #conn: Pointer | undefined;
  #allowed: ReadonlySet<string> = new Set();
  readonly #onEvent: (event: DomainEvent) => void;
  readonly #registrations: number[] = [];
  #timer: number | undefined;
  #callbacks: { lifecycle: Pointer; metadataChange: Pointer } | undefined;

  constructor(lib: Libvirt, onEvent: (event: DomainEvent) => void = () => {}) {
    this.#lib = lib;
    this.#onEvent = onEvent;
    // Else libvirt prints every error to stderr.
    lib.call.virSetErrorFunc(null, lib.nothing);
  }

  /**
   * Opens the connection, in place of an open one. A writable one is proved to be writable, without touching a
   * domain, so that a read-only socket is found out at the start and not at the first shortage.
   */
  open(uri: string, readOnly: boolean): HostInfo {
    this.close();
    const name = readOnly ? 'virConnectOpenReadOnly' : 'virConnectOpen';
    const conn = this.#try(name, uri, () => this.#lib.call[name](uri));
    this.#conn = conn;
    try {
      if (!readOnly) this.#proveWritable(uri);
      // Without it a host that vanishes is never noticed. Not every driver has it, nor needs it.
      this.#lib.call.virConnectSetKeepAlive(conn, 5, 5);
      const type = this.#try('virConnectGetType', uri, () => this.#lib.call.virConnectGetType(conn));
      const version = Buffer.alloc(8);
      this.#try('virConnectGetLibVersion', uri, () => this.#lib.call.virConnectGetLibVersion(conn, version));
      return { type, version: Number(version.readBigUInt64LE()) };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  isAlive(): boolean {
    return this.#conn !== undefined && this.#lib.call.virConnectIsAlive(this.#conn) === 1;
  }

  /** All domains, running or not. Reads only. */
  list(): DomainInfo[] {
    const conn = this.#open('virConnectListAllDomains');
    const out: Out<Pointer> = [null];
    const count = this.#try('virConnectListAllDomains', '', () =>
      this.#lib.call.virConnectListAllDomains(conn, out, 0),
    );
    const array = out[0];
    if (array === null) return [];
    try {
      const domains = this.#pointers(array, count);
      try {
        return domains.flatMap((domain) => this.#describe(domain) ?? []);
      } finally {
        for (const domain of domains) this.#lib.call.virDomainFree(domain);
      }
    } finally {
      this.#lib.free(array);
    }
  }

  /** Reads counters, gauges and limits of a domain. */
  sample(uuid: string, groups: readonly SampleGroup[]): RawSample {
    return this.#withDomain(uuid, (domain) => {
      const problems: LibvirtError['failure'][] = [];
      const tolerant = <T>(read: () => T): T | undefined => {
        try {
          return read();
        } catch (error) {
          if (!(error instanceof LibvirtError) || !error.failure.alive) throw error;
          problems.push(error.failure);
          return undefined;
        }
      };
      const mask = groups.reduce<number>((sum, group) => sum | GROUP_STATS[group], STATS.state);
      const before = stamp();
      const { id, stats } = this.#stats(domain, uuid, mask);
      const after = stamp();
      const tunes: Record<string, Params> = {};
      const bandwidths: Record<string, Params> = {};
      if (groups.includes('diskIo')) {
        for (const disk of diskNames(stats)) {
          const tune = tolerant(() => this.#blockTune(domain, uuid, disk));
          if (tune) tunes[disk] = tune;
        }
      }
      if (groups.includes('network')) {
        for (const nic of nicNames(stats)) {
          const bandwidth = tolerant(() => this.#bandwidth(domain, uuid, nic));
          if (bandwidth) bandwidths[nic] = bandwidth;
        }
      }
      return {
        uuid,
        id,
        before,
        after,
        stats,
        info: this.#info(domain, uuid),
        scheduler: groups.includes('cpu') ? tolerant(() => this.#scheduler(domain, uuid)) : undefined,
        tunes,
        bandwidths,
        problems,
      };
    });
  }

  /** What the owner gave the domain, and how far it can be stretched while it runs. */
  limits(uuid: string): DomainLimits {
    return this.#withDomain(uuid, (domain) => {
      const info = this.#info(domain, uuid);
      const max = this.#try('virDomainGetMaxVcpus', uuid, () => this.#lib.call.virDomainGetMaxVcpus(domain));
      // A transient domain has no configuration apart from the running one.
      const own = this.#lib.call.virDomainGetVcpusFlags(domain, VCPU_CONFIG);
      return { vcpus: own > 0 ? own : info.vcpus, maxVcpus: max, maxMemoryKib: info.maxMemoryKib };
    });
  }

  /** Limits of one interface, by libvirt's names. */
  bandwidth(uuid: string, nic: string): Params {
    return this.#withDomain(uuid, (domain) => this.#bandwidth(domain, uuid, nic));
  }

  /** The domains that may be written to; all others are refused here, next to the call itself. */
  allow(uuids: readonly string[]): void {
    this.#allowed = new Set(uuids);
  }

  setScheduler(uuid: string, params: readonly TypedParam[]): void {
    this.#write('virDomainSetSchedulerParametersFlags', uuid, params, (domain, bytes) =>
      this.#lib.call.virDomainSetSchedulerParametersFlags(domain, bytes, params.length, LIVE),
    );
  }

  setBlockTune(uuid: string, disk: string, params: readonly TypedParam[]): void {
    this.#write('virDomainSetBlockIoTune', uuid, params, (domain, bytes) =>
      this.#lib.call.virDomainSetBlockIoTune(domain, disk, bytes, params.length, LIVE),
    );
  }

  setBandwidth(uuid: string, nic: string, params: readonly TypedParam[]): void {
    this.#write('virDomainSetInterfaceParameters', uuid, params, (domain, bytes) =>
      this.#lib.call.virDomainSetInterfaceParameters(domain, nic, bytes, params.length, LIVE),
    );
  }

  setVcpus(uuid: string, count: number): void {
    this.#write('virDomainSetVcpusFlags', uuid, [], (domain) =>
      this.#lib.call.virDomainSetVcpusFlags(domain, count, LIVE),
    );
  }

  /** Sets the balloon's target. A success says only that it was asked for. */
  setMemory(uuid: string, kib: number): void {
    this.#write('virDomainSetMemoryFlags', uuid, [], (domain) =>
      this.#lib.call.virDomainSetMemoryFlags(domain, kib, LIVE),
    );
  }

  close(): void {
    if (this.#conn === undefined) return;
    // Each registration holds the connection, and with it the socket.
    for (const id of this.#registrations.splice(0)) {
      this.#lib.call.virConnectDomainEventDeregisterAny(this.#conn, id);
    }
    this.#lib.call.virConnectClose(this.#conn);
    this.#conn = undefined;
  }

  /**
   * Makes this thread the one that runs libvirt's event loop, of which a process has one. To be called before
   * the first connection of the process is opened.
   */
  startEvents(): void {
    const { call, nothing, callback } = this.#lib;
    this.#try('virEventRegisterDefaultImpl', '', () => call.virEventRegisterDefaultImpl());
    // Ends the waiting of a turn in which nothing else is due. One that is always due would starve libvirt's idle
    // work, such as closing sockets.
    this.#timer = this.#try('virEventAddTimeout', '', () =>
      call.virEventAddTimeout(TURN_MS, nothing, null, null),
    );
    this.#callbacks = {
      lifecycle: callback(
        'int',
        ['void *', 'void *', 'int', 'int', 'void *'],
        (_conn: Pointer, domain: Pointer, event: number) => {
          this.#onEvent({ ...this.#identify(domain), kind: 'lifecycle', event });
          return 0;
        },
      ),
      metadataChange: callback(
        'void',
        ['void *', 'void *', 'int', 'const char *', 'void *'],
        (_conn: Pointer, domain: Pointer) => {
          this.#onEvent({ ...this.#identify(domain), kind: 'metadata', event: -1 });
        },
      ),
    };
  }

  /** Asks for the events of the open connection. */
  subscribe(): void {
    const conn = this.#open('virConnectDomainEventRegisterAny');
    const callbacks = this.#callbacks;
    if (!callbacks) throw new Error('startEvents comes before subscribe');
    for (const name of ['lifecycle', 'metadataChange'] as const) {
      const id = this.#try('virConnectDomainEventRegisterAny', name, () =>
        this.#lib.call.virConnectDomainEventRegisterAny(conn, null, EVENT[name], callbacks[name], null, null),
      );
      this.#registrations.push(id);
    }
  }

  /**
   * Gives libvirt's event loop some turns, each of which waits for TURN_MS at most. Events arrive during this call.
   * What is read in one turn is delivered by a later one.
   */
  pump(turns: number): void {
    for (let turn = 0; turn < turns; turn++) this.#lib.call.virEventRunDefaultImpl();
  }

  stopEvents(): void {
    if (this.#timer === undefined) return;
    this.pump(CLOSING_TURNS);
    this.#lib.call.virEventRemoveTimeout(this.#timer);
    this.#timer = undefined;
  }

  #proveWritable(uri: string): void {
    this.#lib.call.virResetLastError();
    // Fails everywhere, as there is no such format; but on a read-only connection for another reason.
    this.#lib.call.virConnectDomainXMLToNative(this.#conn!, 'foresize-probe', '<domain/>', 0);
    if (this.#lib.lastError()?.code === VIR_ERR.operationDenied) throw this.#failure('virConnectOpen', uri);
  }

  #describe(domain: Pointer): DomainInfo | undefined {
    this.#lib.call.virResetLastError();
    const metadata = this.#lib.call.virDomainGetMetadata(domain, METADATA_ELEMENT, METADATA_URI, 0);
    if (metadata === null) {
      const code = this.#lib.lastError()?.code;
      // Removed since it was listed.
      if (code === VIR_ERR.noDomain) return undefined;
      if (code !== VIR_ERR.noDomainMetadata && code !== VIR_ERR.noSupport) {
        throw this.#failure('virDomainGetMetadata', this.#identify(domain).name);
      }
    }
    const active = this.#lib.call.virDomainGetID(domain) !== 0xffffffff;
    return { ...this.#identify(domain), active, metadata: metadata ?? undefined };
  }

  #identify(domain: Pointer): { name: string; uuid: string } {
    const uuid = Buffer.alloc(UUID_BYTES);
    this.#lib.call.virDomainGetUUIDString(domain, uuid);
    return {
      name: this.#lib.call.virDomainGetName(domain) ?? '',
      uuid: uuid.toString('latin1', 0, UUID_BYTES - 1),
    };
  }

  #stats(domain: Pointer, uuid: string, mask: number): { id: number; stats: Params } {
    const domains = Buffer.alloc(2 * POINTER_BYTES);
    domains.writeBigUInt64LE(domain, 0);
    const out: Out<Pointer> = [null];
    const count = this.#try('virDomainListGetStats', uuid, () =>
      this.#lib.call.virDomainListGetStats(domains, mask, out, NOWAIT),
    );
    const records = out[0];
    if (records === null) return { id: this.#lib.call.virDomainGetID(domain), stats: {} };
    try {
      const [record] = this.#pointers(records, count);
      // Shut off between look-up and reading.
      if (record === undefined) return { id: -1, stats: {} };
      // virDomainStatsRecord: domain, parameters, number of parameters.
      const view = new DataView(this.#lib.view(record, 24));
      const n = view.getInt32(16, true);
      const bytes =
        n === 0 ? new ArrayBuffer(0) : this.#lib.view(view.getBigUint64(8, true), n * PARAM_BYTES);
      return {
        id: this.#lib.call.virDomainGetID(view.getBigUint64(0, true)),
        stats: decodeParams(bytes, n, this.#lib.string),
      };
    } finally {
      this.#lib.call.virDomainStatsRecordListFree(records);
    }
  }

  #info(domain: Pointer, uuid: string): BasicInfo {
    const info = Buffer.alloc(40);
    this.#try('virDomainGetInfo', uuid, () => this.#lib.call.virDomainGetInfo(domain, info));
    return {
      state: info.readUInt8(0),
      maxMemoryKib: Number(info.readBigUInt64LE(8)),
      memoryKib: Number(info.readBigUInt64LE(16)),
      vcpus: info.readUInt16LE(24),
    };
  }

  #scheduler(domain: Pointer, uuid: string): Params {
    return this.#readParams(
      uuid,
      'virDomainGetSchedulerParametersFlags',
      (count) => {
        const type = this.#try('virDomainGetSchedulerType', uuid, () =>
          this.#lib.call.virDomainGetSchedulerType(domain, count),
        );
        return type === null ? -1 : 0;
      },
      (params, count) => this.#lib.call.virDomainGetSchedulerParametersFlags(domain, params, count, LIVE),
    );
  }

  #blockTune(domain: Pointer, uuid: string, disk: string): Params {
    const read = (params: Buffer | null, count: Buffer) =>
      this.#lib.call.virDomainGetBlockIoTune(domain, disk, params, count, LIVE);
    return this.#readParams(`${uuid} ${disk}`, 'virDomainGetBlockIoTune', (n) => read(null, n), read);
  }

  #bandwidth(domain: Pointer, uuid: string, nic: string): Params {
    const read = (params: Buffer | null, count: Buffer) =>
      this.#lib.call.virDomainGetInterfaceParameters(domain, nic, params, count, LIVE);
    return this.#readParams(`${uuid} ${nic}`, 'virDomainGetInterfaceParameters', (n) => read(null, n), read);
  }

  /** libvirt's two-step reading: ask how many, then have them written into memory of ours. */
  #readParams(
    where: string,
    name: string,
    ask: (count: Buffer) => number,
    read: (params: Buffer, count: Buffer) => number,
  ): Params {
    const count = Buffer.alloc(4);
    this.#try(name, where, () => ask(count));
    const params = Buffer.alloc(count.readInt32LE() * PARAM_BYTES);
    this.#try(name, where, () => read(params, count));
    const n = count.readInt32LE();
    const bytes = params.buffer.slice(params.byteOffset, params.byteOffset + params.length) as ArrayBuffer;
    try {
      return decodeParams(bytes, n, this.#lib.string);
    } finally {
      this.#lib.call.virTypedParamsClear(params, n);
    }
  }

  #write(
    name: string,
    uuid: string,
    params: readonly TypedParam[],
    write: (domain: Pointer, bytes: Buffer) => number,
  ): void {
    if (!this.#allowed.has(uuid)) throw notManaged(uuid);
    // Held here, or the strings could be collected while libvirt reads them.
    const strings: Buffer[] = [];
    const bytes = encodeParams(params, (text) => {
      const buffer = Buffer.from(`${text}\0`);
      strings.push(buffer);
      return this.#lib.addressOf(buffer);
    });
    this.#withDomain(uuid, (domain) => this.#try(name, uuid, () => write(domain, bytes)));
    strings.length = 0;
  }

  #withDomain<T>(uuid: string, use: (domain: Pointer) => T): T {
    const conn = this.#open('virDomainLookupByUUIDString');
    const domain = this.#try('virDomainLookupByUUIDString', uuid, () =>
      this.#lib.call.virDomainLookupByUUIDString(conn, uuid),
    );
    try {
      return use(domain);
    } finally {
      this.#lib.call.virDomainFree(domain);
    }
  }

  #pointers(array: Pointer, count: number): Pointer[] {
    if (count === 0) return [];
    const view = new DataView(this.#lib.view(array, count * POINTER_BYTES));
    return Array.from({ length: count }, (_, i) => view.getBigUint64(i * POINTER_BYTES, true));
  }

  #open(call: string): Pointer {
    if (this.#conn === undefined) {
      throw new LibvirtError({
        code: VIR_ERR.invalidConnection,
        domain: 0,
        message: 'the connection is not open',
        errno: 0,
        call,
        alive: false,
      });
    }
    return this.#conn;
  }

  /** Makes a call and turns libvirt's ways to say "failed" (NULL, negative) into an exception. */
  #try<T extends Pointer | string | number>(name: string, where: string, make: () => T | null): T {
    this.#lib.call.virResetLastError();
    const result = make();
    if (result === null || (typeof result === 'number' && result < 0)) throw this.#failure(name, where);
    return result;
  }

  #failure(call: string, where: string): LibvirtError {
    const error = this.#lib.lastError() ?? { code: 0, domain: 0, message: 'no reason given', errno: 0 };
    const system = error.code === VIR_ERR.systemError;
    const failure = { ...error, errno: system ? error.errno : 0, call, alive: this.isAlive() };
    return new LibvirtError(failure, where || undefined);
  }
}

export function stamp(): Stamp {
  return { at: Date.now(), mono: Number(process.hrtime.bigint()) / 1e6 };
}

/** Disks with a medium, as libvirt names them to the guest; an empty drive has no capacity. */
export function diskNames(stats: Params): string[] {
  return deviceNames(stats, 'block')
    .filter(([, i]) => Number(stats[`block.${i}.capacity`] ?? 0) > 0)
    .map(([name]) => name);
}

/** Interfaces with a device on the host; a user-mode one has none and can be neither counted nor limited. */
export function nicNames(stats: Params): string[] {
  return deviceNames(stats, 'net').map(([name]) => name);
}

function deviceNames(stats: Params, group: 'block' | 'net'): [name: string, index: number][] {
  const names: [string, number][] = [];
  const count = Number(stats[`${group}.count`] ?? 0);
  for (let i = 0; i < count; i++) {
    const name = stats[`${group}.${i}.name`];
    if (typeof name === 'string') names.push([name, i]);
  }
  return names;
}
