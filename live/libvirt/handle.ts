import { LibvirtError, VIR_ERR } from './errors.ts';
import type { Libvirt, Pointer } from './ffi.ts';

const POINTER_BYTES = 8;

/** The connection as the thread that owns it holds it, and the way every call through it is made. */
export class Handle {
  readonly lib: Libvirt;
  #conn: Pointer | undefined;

  constructor(lib: Libvirt) {
    this.lib = lib;
    // Else libvirt prints every error to stderr.
    lib.call.virSetErrorFunc(null, lib.nothing);
  }

  get isOpen(): boolean {
    return this.#conn !== undefined;
  }

  get isAlive(): boolean {
    return this.#conn !== undefined && this.lib.call.virConnectIsAlive(this.#conn) === 1;
  }

  open(uri: string, readOnly: boolean): void {
    this.close();
    const name = readOnly ? 'virConnectOpenReadOnly' : 'virConnectOpen';
    this.#conn = this.attempt(name, uri, () => this.lib.call[name](uri));
    // Without it a host that vanishes is never noticed. Not every driver has it, nor needs it.
    this.lib.call.virConnectSetKeepAlive(this.#conn, 5, 5);
  }

  close(): void {
    if (this.#conn === undefined) return;
    this.lib.call.virConnectClose(this.#conn);
    this.#conn = undefined;
  }

  /** The open connection. @param call what it is for, to name in the error if there is none */
  connection(call: string): Pointer {
    if (this.#conn !== undefined) return this.#conn;
    const message = 'the connection is not open';
    throw new LibvirtError({
      code: VIR_ERR.invalidConnection,
      domain: 0,
      message,
      errno: 0,
      call,
      alive: false,
    });
  }

  /** Makes a call and turns libvirt's ways to say "failed" (NULL, negative) into an exception. */
  attempt<T extends Pointer | string | number>(call: string, where: string, make: () => T | null): T {
    this.lib.call.virResetLastError();
    const result = make();
    if (result === null || (typeof result === 'number' && result < 0)) throw this.failure(call, where);
    return result;
  }

  /** What the last call of this thread failed with. */
  failure(call: string, where: string): LibvirtError {
    const error = this.lib.lastError() ?? { code: 0, domain: 0, message: 'no reason given', errno: 0 };
    const errno = error.code === VIR_ERR.systemError ? error.errno : 0;
    return new LibvirtError({ ...error, errno, call, alive: this.isAlive }, where || undefined);
  }

  withDomain<T>(uuid: string, use: (domain: Pointer) => T): T {
    const call = 'virDomainLookupByUUIDString';
    const conn = this.connection(call);
    const domain = this.attempt(call, uuid, () => this.lib.call.virDomainLookupByUUIDString(conn, uuid));
    try {
      return use(domain);
    } finally {
      this.lib.call.virDomainFree(domain);
    }
  }

  /** The elements of a C array of pointers. */
  pointers(array: Pointer, count: number): Pointer[] {
    if (count === 0) return [];
    const view = new DataView(this.lib.view(array, count * POINTER_BYTES));
    return Array.from({ length: count }, (_, i) => view.getBigUint64(i * POINTER_BYTES, true));
  }
}
