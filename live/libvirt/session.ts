import { diskNames, nicNames } from './devices.ts';
import { LibvirtError, type LibvirtFailure, notManaged, VIR_ERR } from './errors.ts';
import { EventLoop } from './event-loop.ts';
import type { Libvirt, Out, Pointer } from './ffi.ts';
import { Handle } from './handle.ts';
import { identify, readBandwidth, readBlockTune, readInfo, readScheduler, readStats } from './read-domain.ts';
import type {
  DomainEvent,
  DomainInfo,
  DomainLimits,
  HostInfo,
  RawSample,
  SampleGroup,
  Stamp,
} from './session-types.ts';
import { encodeParams, type Params, type TypedParam } from './typed-params.ts';

/** XML namespace of the element by which a domain is tagged for Foresize. */
export const METADATA_URI = 'https://foresize.dev/xmlns/domain/1';

const LIVE = 1;
const VCPU_CONFIG = 2;
const METADATA_ELEMENT = 2;
/** What virDomainGetID gives for a domain that is shut off. */
const NO_ID = 0xffffffff;
/** VIR_DOMAIN_STATS_*. */
const STATS = { state: 1, cpu: 2, balloon: 4, vcpu: 8, interface: 16, block: 32 } as const;

const GROUP_STATS: Readonly<Record<SampleGroup, number>> = {
  cpu: STATS.cpu | STATS.vcpu,
  memory: STATS.balloon,
  diskIo: STATS.block,
  network: STATS.interface,
};

/**
 * One connection, by synchronous calls on the thread that owns it: libvirt's last error is kept per thread, so
 * that only the calling thread can read it. Its methods are what a Worker offers; each throws LibvirtError, and
 * what they take and give can be cloned.
 */
export class Session {
  readonly #handle: Handle;
  readonly #events: EventLoop | undefined;
  #allowed: ReadonlySet<string> = new Set();

  /** @param onEvent if given, this session runs libvirt's event loop, of which a process has one */
  constructor(lib: Libvirt, onEvent: ((event: DomainEvent) => void) | undefined) {
    this.#handle = new Handle(lib);
    this.#events = onEvent && new EventLoop(this.#handle, onEvent);
  }

  /**
   * Opens the connection, in place of an open one. A writable one is proved to be writable, without touching a
   * domain, so that a read-only socket is found out at the start and not at the first shortage.
   */
  open(uri: string, readOnly: boolean): HostInfo {
    this.close();
    const handle = this.#handle;
    const { call } = handle.lib;
    handle.open(uri, readOnly);
    try {
      if (!readOnly) this.#proveWritable(uri);
      const conn = handle.connection('virConnectGetType');
      const type = handle.attempt('virConnectGetType', uri, () => call.virConnectGetType(conn));
      const version = Buffer.alloc(8);
      handle.attempt('virConnectGetLibVersion', uri, () => call.virConnectGetLibVersion(conn, version));
      this.#events?.subscribe();
      return { type, version: Number(version.readBigUInt64LE()) };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#events?.unsubscribe();
    this.#handle.close();
  }

  /** All domains, running or not. Reads only. */
  list(): DomainInfo[] {
    const handle = this.#handle;
    const { call } = handle.lib;
    const name = 'virConnectListAllDomains';
    const conn = handle.connection(name);
    const out: Out<Pointer> = [null];
    const count = handle.attempt(name, '', () => call.virConnectListAllDomains(conn, out, 0));
    const array = out[0];
    if (array === null) return [];
    const domains = handle.pointers(array, count);
    try {
      return domains.flatMap((domain) => this.#describe(domain) ?? []);
    } finally {
      for (const domain of domains) call.virDomainFree(domain);
      handle.lib.free(array);
    }
  }

  /** Reads counters, gauges and limits of a domain. */
  sample(uuid: string, groups: readonly SampleGroup[]): RawSample {
    const handle = this.#handle;
    return handle.withDomain(uuid, (domain) => {
      const problems: LibvirtFailure[] = [];
      const tolerant = (read: () => Params): Params | undefined => {
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
      const { id, stats } = readStats(handle, domain, uuid, mask);
      const after = stamp();
      const perDevice = (devices: string[], read: typeof readBlockTune): Record<string, Params> => {
        const found: Record<string, Params> = {};
        for (const device of devices) {
          const params = tolerant(() => read(handle, domain, uuid, device));
          if (params) found[device] = params;
        }
        return found;
      };
      return {
        uuid,
        id,
        before,
        after,
        stats,
        info: readInfo(handle, domain, uuid),
        scheduler: groups.includes('cpu') ? tolerant(() => readScheduler(handle, domain, uuid)) : undefined,
        tunes: perDevice(groups.includes('diskIo') ? diskNames(stats) : [], readBlockTune),
        bandwidths: perDevice(groups.includes('network') ? nicNames(stats) : [], readBandwidth),
        problems,
      };
    });
  }

  /** What the owner gave the domain, and how far it can be stretched while it runs. */
  limits(uuid: string): DomainLimits {
    const handle = this.#handle;
    const { call } = handle.lib;
    return handle.withDomain(uuid, (domain) => {
      const info = readInfo(handle, domain, uuid);
      const max = handle.attempt('virDomainGetMaxVcpus', uuid, () => call.virDomainGetMaxVcpus(domain));
      // A transient domain has no configuration apart from the running one.
      const own = call.virDomainGetVcpusFlags(domain, VCPU_CONFIG);
      return { vcpus: own > 0 ? own : info.vcpus, maxVcpus: max, maxMemoryKib: info.maxMemoryKib };
    });
  }

  /** Limits of one interface, by libvirt's names. */
  bandwidth(uuid: string, nic: string): Params {
    return this.#handle.withDomain(uuid, (domain) => readBandwidth(this.#handle, domain, uuid, nic));
  }

  /** The domains that may be written to; all others are refused here, next to the call itself. */
  allow(uuids: readonly string[]): void {
    this.#allowed = new Set(uuids);
  }

  setScheduler(uuid: string, params: readonly TypedParam[]): void {
    const name = 'virDomainSetSchedulerParametersFlags';
    this.#write(name, uuid, params, (domain, bytes) =>
      this.#handle.lib.call[name](domain, bytes, params.length, LIVE),
    );
  }

  setBlockTune(uuid: string, disk: string, params: readonly TypedParam[]): void {
    const name = 'virDomainSetBlockIoTune';
    this.#write(name, uuid, params, (domain, bytes) =>
      this.#handle.lib.call[name](domain, disk, bytes, params.length, LIVE),
    );
  }

  setBandwidth(uuid: string, nic: string, params: readonly TypedParam[]): void {
    const name = 'virDomainSetInterfaceParameters';
    this.#write(name, uuid, params, (domain, bytes) =>
      this.#handle.lib.call[name](domain, nic, bytes, params.length, LIVE),
    );
  }

  setVcpus(uuid: string, count: number): void {
    const name = 'virDomainSetVcpusFlags';
    this.#write(name, uuid, [], (domain) => this.#handle.lib.call[name](domain, count, LIVE));
  }

  /** Sets the balloon's target. A success says only that it was asked for. */
  setMemory(uuid: string, kib: number): void {
    const name = 'virDomainSetMemoryFlags';
    this.#write(name, uuid, [], (domain) => this.#handle.lib.call[name](domain, kib, LIVE));
  }

  get isAlive(): boolean {
    return this.#handle.isAlive;
  }

  /** Delivers the events that have come, if this session runs the event loop. */
  pump(turns: number): void {
    this.#events?.pump(turns);
  }

  /** The end of the session. */
  end(): void {
    this.close();
    this.#events?.stop();
  }

  #proveWritable(uri: string): void {
    const { lib } = this.#handle;
    const conn = this.#handle.connection('virConnectOpen');
    lib.call.virResetLastError();
    // Fails everywhere, as there is no such format; but on a read-only connection for another reason.
    lib.call.virConnectDomainXMLToNative(conn, 'foresize-probe', '<domain/>', 0);
    if (lib.lastError()?.code === VIR_ERR.operationDenied) throw this.#handle.failure('virConnectOpen', uri);
  }

  #describe(domain: Pointer): DomainInfo | undefined {
    const { lib } = this.#handle;
    const known = identify(this.#handle, domain);
    lib.call.virResetLastError();
    const metadata = lib.call.virDomainGetMetadata(domain, METADATA_ELEMENT, METADATA_URI, 0);
    if (metadata === null) {
      const code = lib.lastError()?.code;
      // Removed since it was listed.
      if (code === VIR_ERR.noDomain) return undefined;
      if (code !== VIR_ERR.noDomainMetadata && code !== VIR_ERR.noSupport) {
        throw this.#handle.failure('virDomainGetMetadata', known.name);
      }
    }
    const active = lib.call.virDomainGetID(domain) !== NO_ID;
    return { ...known, active, metadata: metadata ?? undefined };
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
      return this.#handle.lib.addressOf(buffer);
    });
    this.#handle.withDomain(uuid, (domain) => this.#handle.attempt(name, uuid, () => write(domain, bytes)));
    strings.length = 0;
  }
}

function stamp(): Stamp {
  return { at: Date.now(), mono: Number(process.hrtime.bigint()) / 1e6 };
}
