import type { Out, Pointer } from './ffi.ts';
import type { Handle } from './handle.ts';
import type { BasicInfo } from './session-types.ts';
import { decodeParams, PARAM_BYTES, type Params } from './typed-params.ts';

const LIVE = 1;
/** VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT: leave out what a busy domain would make us wait for. */
const NOWAIT = 1 << 29;
const POINTER_BYTES = 8;
const UUID_BYTES = 37;

export function identify({ lib }: Handle, domain: Pointer): { name: string; uuid: string } {
  const uuid = Buffer.alloc(UUID_BYTES);
  lib.call.virDomainGetUUIDString(domain, uuid);
  return {
    name: lib.call.virDomainGetName(domain) ?? '',
    uuid: uuid.toString('latin1', 0, UUID_BYTES - 1),
  };
}

/** The statistics of one domain. @param mask sum of VIR_DOMAIN_STATS_* */
export function readStats(
  handle: Handle,
  domain: Pointer,
  uuid: string,
  mask: number,
): { id: number; stats: Params } {
  const { lib } = handle;
  // libvirt takes a list that ends with NULL.
  const domains = Buffer.alloc(2 * POINTER_BYTES);
  domains.writeBigUInt64LE(domain, 0);
  const out: Out<Pointer> = [null];
  const count = handle.attempt('virDomainListGetStats', uuid, () =>
    lib.call.virDomainListGetStats(domains, mask, out, NOWAIT),
  );
  const records = out[0];
  if (records === null) return { id: -1, stats: {} };
  try {
    const [record] = handle.pointers(records, count);
    // Shut off between look-up and reading.
    if (record === undefined) return { id: -1, stats: {} };
    // virDomainStatsRecord: domain, parameters, number of parameters.
    const view = new DataView(lib.view(record, 24));
    const n = view.getInt32(16, true);
    const bytes = n === 0 ? new ArrayBuffer(0) : lib.view(view.getBigUint64(8, true), n * PARAM_BYTES);
    return {
      id: lib.call.virDomainGetID(view.getBigUint64(0, true)),
      stats: decodeParams(bytes, n, lib.string),
    };
  } finally {
    lib.call.virDomainStatsRecordListFree(records);
  }
}

export function readInfo(handle: Handle, domain: Pointer, uuid: string): BasicInfo {
  // virDomainInfo: state, maximum memory, memory, vCPUs, CPU time.
  const info = Buffer.alloc(40);
  handle.attempt('virDomainGetInfo', uuid, () => handle.lib.call.virDomainGetInfo(domain, info));
  return {
    state: info.readUInt8(0),
    maxMemoryKib: Number(info.readBigUInt64LE(8)),
    memoryKib: Number(info.readBigUInt64LE(16)),
    vcpus: info.readUInt16LE(24),
  };
}

export function readScheduler(handle: Handle, domain: Pointer, uuid: string): Params {
  const { call } = handle.lib;
  return readParams(
    handle,
    uuid,
    'virDomainGetSchedulerParametersFlags',
    (count) => (call.virDomainGetSchedulerType(domain, count) === null ? -1 : 0),
    (params, count) => call.virDomainGetSchedulerParametersFlags(domain, params, count, LIVE),
  );
}

export function readBlockTune(handle: Handle, domain: Pointer, uuid: string, disk: string): Params {
  const read = (params: Buffer | null, count: Buffer) =>
    handle.lib.call.virDomainGetBlockIoTune(domain, disk, params, count, LIVE);
  return readParams(handle, `${uuid} ${disk}`, 'virDomainGetBlockIoTune', (n) => read(null, n), read);
}

export function readBandwidth(handle: Handle, domain: Pointer, uuid: string, nic: string): Params {
  const read = (params: Buffer | null, count: Buffer) =>
    handle.lib.call.virDomainGetInterfaceParameters(domain, nic, params, count, LIVE);
  return readParams(handle, `${uuid} ${nic}`, 'virDomainGetInterfaceParameters', (n) => read(null, n), read);
}

/** libvirt's two-step reading: ask how many, then have them written into memory of ours. */
function readParams(
  handle: Handle,
  where: string,
  name: string,
  ask: (count: Buffer) => number,
  read: (params: Buffer, count: Buffer) => number,
): Params {
  const count = Buffer.alloc(4);
  handle.attempt(name, where, () => ask(count));
  const params = Buffer.alloc(count.readInt32LE() * PARAM_BYTES);
  handle.attempt(name, where, () => read(params, count));
  const n = count.readInt32LE();
  const bytes = params.buffer.slice(params.byteOffset, params.byteOffset + params.length) as ArrayBuffer;
  try {
    return decodeParams(bytes, n, handle.lib.string);
  } finally {
    handle.lib.call.virTypedParamsClear(params, n);
  }
}
