import { libraryMissing } from './errors.ts';

/** An address. koffi gives `null` for NULL. */
export type Pointer = bigint;

/** One-element array through which a C function gives a value back. */
export type Out<T> = [T | null];

/** The functions of libvirt used here, as in libvirt's headers, with every handle an address. */
export interface Functions {
  virInitialize(): number;
  virConnectOpen(uri: string): Pointer | null;
  virConnectOpenReadOnly(uri: string): Pointer | null;
  virConnectClose(conn: Pointer): number;
  virConnectIsAlive(conn: Pointer): number;
  virConnectSetKeepAlive(conn: Pointer, interval: number, count: number): number;
  virConnectGetType(conn: Pointer): string | null;
  virConnectGetLibVersion(conn: Pointer, version: Buffer): number;
  virConnectDomainXMLToNative(conn: Pointer, format: string, xml: string, flags: number): string | null;
  virConnectListAllDomains(conn: Pointer, domains: Out<Pointer>, flags: number): number;
  virDomainLookupByUUIDString(conn: Pointer, uuid: string): Pointer | null;
  virDomainFree(domain: Pointer): number;
  virDomainGetName(domain: Pointer): string | null;
  virDomainGetID(domain: Pointer): number;
  virDomainGetUUIDString(domain: Pointer, text: Buffer): number;
  virDomainGetMetadata(domain: Pointer, type: number, uri: string, flags: number): string | null;
  virDomainGetInfo(domain: Pointer, info: Buffer): number;
  virDomainGetMaxVcpus(domain: Pointer): number;
  virDomainGetVcpusFlags(domain: Pointer, flags: number): number;
  virDomainListGetStats(domains: Buffer, stats: number, records: Out<Pointer>, flags: number): number;
  virDomainStatsRecordListFree(records: Pointer): void;
  virDomainGetSchedulerType(domain: Pointer, count: Buffer): string | null;
  virDomainGetSchedulerParametersFlags(d: Pointer, params: Buffer, n: Buffer, flags: number): number;
  virDomainGetBlockIoTune(d: Pointer, disk: string, params: Buffer | null, n: Buffer, flags: number): number;
  virDomainGetInterfaceParameters(
    d: Pointer,
    nic: string,
    params: Buffer | null,
    n: Buffer,
    flags: number,
  ): number;
  virTypedParamsClear(params: Buffer, n: number): void;
  virDomainSetSchedulerParametersFlags(d: Pointer, params: Buffer, n: number, flags: number): number;
  virDomainSetVcpusFlags(domain: Pointer, count: number, flags: number): number;
  virDomainSetMemoryFlags(domain: Pointer, kib: number, flags: number): number;
  virDomainSetBlockIoTune(d: Pointer, disk: string, params: Buffer, n: number, flags: number): number;
  virDomainSetInterfaceParameters(d: Pointer, nic: string, params: Buffer, n: number, flags: number): number;
  virConnectDomainEventRegisterAny(
    conn: Pointer,
    domain: null,
    event: number,
    callback: Pointer,
    opaque: null,
    free: null,
  ): number;
  virConnectDomainEventDeregisterAny(conn: Pointer, id: number): number;
  virEventRegisterDefaultImpl(): number;
  virEventRunDefaultImpl(): number;
  virEventAddTimeout(ms: number, callback: Pointer, opaque: null, free: null): number;
  virEventRemoveTimeout(timer: number): number;
  virGetLastError(): Pointer | null;
  virResetLastError(): void;
  virSetErrorFunc(user: null, handler: Pointer): void;
}

/** `!` marks a string that belongs to the caller: koffi copies and frees it. */
const DECLARATIONS: Readonly<Record<keyof Functions, string>> = {
  virInitialize: 'int virInitialize()',
  virConnectOpen: 'void *virConnectOpen(const char *)',
  virConnectOpenReadOnly: 'void *virConnectOpenReadOnly(const char *)',
  virConnectClose: 'int virConnectClose(void *)',
  virConnectIsAlive: 'int virConnectIsAlive(void *)',
  virConnectSetKeepAlive: 'int virConnectSetKeepAlive(void *, int, unsigned int)',
  virConnectGetType: 'const char *virConnectGetType(void *)',
  virConnectGetLibVersion: 'int virConnectGetLibVersion(void *, void *)',
  virConnectDomainXMLToNative:
    'const char *! virConnectDomainXMLToNative(void *, const char *, const char *, unsigned int)',
  virConnectListAllDomains: 'int virConnectListAllDomains(void *, _Out_ void **, unsigned int)',
  virDomainLookupByUUIDString: 'void *virDomainLookupByUUIDString(void *, const char *)',
  virDomainFree: 'int virDomainFree(void *)',
  virDomainGetName: 'const char *virDomainGetName(void *)',
  virDomainGetID: 'unsigned int virDomainGetID(void *)',
  virDomainGetUUIDString: 'int virDomainGetUUIDString(void *, void *)',
  virDomainGetMetadata: 'const char *! virDomainGetMetadata(void *, int, const char *, unsigned int)',
  virDomainGetInfo: 'int virDomainGetInfo(void *, void *)',
  virDomainGetMaxVcpus: 'int virDomainGetMaxVcpus(void *)',
  virDomainGetVcpusFlags: 'int virDomainGetVcpusFlags(void *, unsigned int)',
  virDomainListGetStats: 'int virDomainListGetStats(void *, unsigned int, _Out_ void **, unsigned int)',
  virDomainStatsRecordListFree: 'void virDomainStatsRecordListFree(void *)',
  virDomainGetSchedulerType: 'const char *! virDomainGetSchedulerType(void *, void *)',
  virDomainGetSchedulerParametersFlags:
    'int virDomainGetSchedulerParametersFlags(void *, void *, void *, unsigned int)',
  virDomainGetBlockIoTune: 'int virDomainGetBlockIoTune(void *, const char *, void *, void *, unsigned int)',
  virDomainGetInterfaceParameters:
    'int virDomainGetInterfaceParameters(void *, const char *, void *, void *, unsigned int)',
  virTypedParamsClear: 'void virTypedParamsClear(void *, int)',
  virDomainSetSchedulerParametersFlags:
    'int virDomainSetSchedulerParametersFlags(void *, void *, int, unsigned int)',
  virDomainSetVcpusFlags: 'int virDomainSetVcpusFlags(void *, unsigned int, unsigned int)',
  virDomainSetMemoryFlags: 'int virDomainSetMemoryFlags(void *, unsigned long, unsigned int)',
  virDomainSetBlockIoTune: 'int virDomainSetBlockIoTune(void *, const char *, void *, int, unsigned int)',
  virDomainSetInterfaceParameters:
    'int virDomainSetInterfaceParameters(void *, const char *, void *, int, unsigned int)',
  virConnectDomainEventRegisterAny:
    'int virConnectDomainEventRegisterAny(void *, void *, int, void *, void *, void *)',
  virConnectDomainEventDeregisterAny: 'int virConnectDomainEventDeregisterAny(void *, int)',
  virEventRegisterDefaultImpl: 'int virEventRegisterDefaultImpl()',
  virEventRunDefaultImpl: 'int virEventRunDefaultImpl()',
  virEventAddTimeout: 'int virEventAddTimeout(int, void *, void *, void *)',
  virEventRemoveTimeout: 'int virEventRemoveTimeout(int)',
  virGetLastError: 'void *virGetLastError()',
  virResetLastError: 'void virResetLastError()',
  virSetErrorFunc: 'void virSetErrorFunc(void *, void *)',
};

/** libvirt as loaded, with what is needed to read its memory. */
export interface Libvirt {
  readonly call: Functions;
  /** Address of a C function that takes any arguments and does nothing; for callbacks that are not wanted. */
  readonly nothing: Pointer;
  /** The memory at an address, not copied: valid only as long as libvirt leaves it. */
  view(address: Pointer, bytes: number): ArrayBuffer;
  string(address: Pointer): string;
  addressOf(buffer: Buffer): Pointer;
  lastError(): { code: number; domain: number; message: string; errno: number } | undefined;
  /** Makes a JavaScript function callable from C; it must only be called on the thread that registered it. */
  callback(result: string, args: readonly string[], fn: (...args: never[]) => unknown): Pointer;
  /** Gives memory back that libvirt handed over. */
  free(address: Pointer): void;
}

/**
 * Loads libvirt's client library by koffi, and koffi itself only now.
 * @throws ForesizeError LIBVIRT_MISSING
 */
export async function loadLibvirt(library = 'libvirt.so.0'): Promise<Libvirt> {
  try {
    const { default: koffi } = await import('koffi');
    const handle = koffi.load(library);
    const call: Record<string, unknown> = {};
    for (const [name, declaration] of Object.entries(DECLARATIONS)) call[name] = handle.func(declaration);
    const functions = call as unknown as Functions;
    // The error functions read memory that this sets up.
    if (functions.virInitialize() < 0) throw new Error('virInitialize failed');
    const error = koffi.struct({
      code: 'int',
      domain: 'int',
      message: 'const char *',
      level: 'int',
      conn: 'void *',
      dom: 'void *',
      str1: 'const char *',
      str2: 'const char *',
      str3: 'const char *',
      int1: 'int',
      int2: 'int',
      net: 'void *',
    });
    return {
      call: functions,
      // Under the C ABIs of Linux a callee may ignore its arguments; this one only asks the kernel for a number.
      nothing: koffi.address(handle.symbol('getppid')),
      view: (address, bytes) => koffi.view(address, bytes),
      string: (address) => koffi.decode.string(address),
      addressOf: (buffer) => koffi.address(buffer),
      lastError: () => {
        const address = functions.virGetLastError();
        if (address === null) return undefined;
        const { code, domain, message, int1 } = koffi.decode(address, error);
        // Only for a system error is int1 the errno.
        return { code, domain, message: message ?? '', errno: int1 };
      },
      callback: (result, args, fn) => koffi.register(fn, koffi.pointer(koffi.proto(result, [...args]))),
      free: (address) => koffi.free(address),
    };
  } catch (cause) {
    throw libraryMissing(library, cause);
  }
}
