import { EXIT, ForesizeError } from '../../core/errors.ts';

/** What libvirt said of a call that failed: plain data, so that it crosses from a Worker as it is. */
export interface LibvirtFailure {
  /** virErrorNumber. */
  readonly code: number;
  /** virErrorDomain: the part of libvirt that raised it. */
  readonly domain: number;
  readonly message: string;
  /** errno of a failed system call, else 0. */
  readonly errno: number;
  /** The function called, and what it was called for. */
  readonly call: string;
  /** Whether the connection still stands after the failure. */
  readonly alive: boolean;
}

/** The numbers of virterror.h that are told apart here. */
export const VIR_ERR = {
  noSupport: 3,
  unknownHost: 4,
  noConnect: 5,
  invalidConnection: 6,
  invalidDomain: 7,
  invalidArgument: 8,
  operationFailed: 9,
  operationDenied: 29,
  systemError: 38,
  rpc: 39,
  noDomain: 42,
  authFailed: 45,
  operationInvalid: 55,
  configUnsupported: 67,
  operationTimeout: 68,
  argumentUnsupported: 74,
  authCancelled: 79,
  noDomainMetadata: 80,
  operationUnsupported: 84,
  resourceBusy: 87,
  accessDenied: 88,
  authUnavailable: 94,
} as const;

/** virErrorDomain of what could not be parsed as a URI. */
const FROM_URI = 45;

const ENOENT = 2;
const EACCES = 13;
const ECONNREFUSED = 111;

interface Meaning {
  readonly code: string;
  readonly remedy: string;
  readonly exit: number;
}

const MEANINGS = {
  badUri: {
    code: 'LIBVIRT_BAD_URI',
    remedy: 'give a connection URI such as qemu:///system; see https://libvirt.org/uri.html',
    exit: EXIT.usage,
  },
  unreachable: {
    code: 'LIBVIRT_UNREACHABLE',
    remedy: 'start libvirtd (systemctl start libvirtd) and check that `virsh -c URI list` answers',
    exit: EXIT.runtime,
  },
  disconnected: {
    code: 'LIBVIRT_DISCONNECTED',
    remedy: 'none needed if libvirtd restarts: the connection is tried again with growing pauses',
    exit: EXIT.runtime,
  },
  permission: {
    code: 'LIBVIRT_NO_PERMISSION',
    remedy: 'add the user to the group that may use the socket (usermod -aG libvirt USER) and log in anew',
    exit: EXIT.runtime,
  },
  readOnly: {
    code: 'LIBVIRT_READ_ONLY',
    remedy: 'control needs the read-write socket: name no -ro socket in the URI, or run with --dry-run',
    exit: EXIT.runtime,
  },
  noDomain: {
    code: 'LIBVIRT_NO_DOMAIN',
    remedy: 'compare the name with `virsh list --all`; a VM that was just removed needs nothing',
    exit: EXIT.usage,
  },
  notPossibleNow: {
    code: 'LIBVIRT_NOT_POSSIBLE_NOW',
    remedy: 'the VM is in no state for it (shut off, or without that controller); start it, or leave it out',
    exit: EXIT.runtime,
  },
  unsupported: {
    code: 'LIBVIRT_UNSUPPORTED',
    remedy: 'this hypervisor or device cannot do it: leave the resource unmanaged for this VM',
    exit: EXIT.runtime,
  },
  badArgument: {
    code: 'LIBVIRT_BAD_ARGUMENT',
    remedy: 'check the bounds given for this VM and resource',
    exit: EXIT.runtime,
  },
  busy: {
    code: 'LIBVIRT_BUSY',
    remedy: 'another operation holds the VM; it is tried again on a later tick',
    exit: EXIT.runtime,
  },
  other: {
    code: 'LIBVIRT_FAILED',
    remedy: "see libvirtd's log (journalctl -u libvirtd) for the cause",
    exit: EXIT.runtime,
  },
} as const satisfies Record<string, Meaning>;

const BY_NUMBER: Readonly<Record<number, Meaning>> = {
  [VIR_ERR.noSupport]: MEANINGS.unsupported,
  [VIR_ERR.unknownHost]: MEANINGS.unreachable,
  [VIR_ERR.noConnect]: MEANINGS.badUri,
  [VIR_ERR.invalidConnection]: MEANINGS.disconnected,
  [VIR_ERR.invalidDomain]: MEANINGS.noDomain,
  [VIR_ERR.invalidArgument]: MEANINGS.badArgument,
  [VIR_ERR.operationDenied]: MEANINGS.readOnly,
  [VIR_ERR.rpc]: MEANINGS.disconnected,
  [VIR_ERR.noDomain]: MEANINGS.noDomain,
  [VIR_ERR.authFailed]: MEANINGS.permission,
  [VIR_ERR.operationInvalid]: MEANINGS.notPossibleNow,
  [VIR_ERR.configUnsupported]: MEANINGS.unsupported,
  [VIR_ERR.operationTimeout]: MEANINGS.busy,
  [VIR_ERR.argumentUnsupported]: MEANINGS.unsupported,
  [VIR_ERR.authCancelled]: MEANINGS.permission,
  [VIR_ERR.operationUnsupported]: MEANINGS.unsupported,
  [VIR_ERR.resourceBusy]: MEANINGS.busy,
  [VIR_ERR.accessDenied]: MEANINGS.permission,
  [VIR_ERR.authUnavailable]: MEANINGS.permission,
};

function meaningOf(failure: LibvirtFailure): Meaning {
  const opening = failure.call.startsWith('virConnectOpen');
  if (failure.code === VIR_ERR.systemError) {
    if (failure.errno === EACCES) return MEANINGS.permission;
    if (opening && (failure.errno === ENOENT || failure.errno === ECONNREFUSED)) return MEANINGS.unreachable;
  }
  if (opening && (failure.domain === FROM_URI || failure.code === VIR_ERR.invalidArgument))
    return MEANINGS.badUri;
  if (opening && BY_NUMBER[failure.code] === undefined) return MEANINGS.unreachable;
  if (!opening && !failure.alive) return MEANINGS.disconnected;
  return BY_NUMBER[failure.code] ?? MEANINGS.other;
}

/** A failed libvirt call as an error a user can act on. libvirt's own number and words are kept. */
export class LibvirtError extends ForesizeError {
  readonly failure: LibvirtFailure;

  /** @param where what it was done for: a URI, a VM, a VM and a resource */
  constructor(failure: LibvirtFailure, where?: string) {
    const meaning = meaningOf(failure);
    super(
      {
        code: meaning.code,
        what: `${failure.call}: ${failure.message} [libvirt error ${failure.code}, domain ${failure.domain}]`,
        where,
        remedy: meaning.remedy,
      },
      meaning.exit,
    );
    this.name = 'LibvirtError';
    this.failure = failure;
  }
}

/** libvirt's client library (or koffi) is not there. */
export function libraryMissing(library: string, cause: unknown): ForesizeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ForesizeError(
    {
      code: 'LIBVIRT_MISSING',
      what: `cannot load ${library}: ${why}`,
      remedy:
        'install the client library: apt-get install libvirt0 (Debian), dnf install libvirt-libs (Fedora)',
    },
    EXIT.runtime,
    cause,
  );
}

/** A call did not return in time. Whether it took effect is unknown; the next reading tells. */
export function callTimedOut(call: string, timeoutMs: number, where: string): ForesizeError {
  return new ForesizeError(
    {
      code: 'LIBVIRT_TIMEOUT',
      what: `${call} did not return within ${timeoutMs} ms; whether it took effect is not known yet`,
      where,
      remedy: 'see whether libvirtd or the VM hangs: `virsh domjobinfo VM`, journalctl -u libvirtd',
    },
    EXIT.runtime,
  );
}

/** An earlier call still hangs, so that this one was not made. */
export function connectionStuck(call: string, where: string): ForesizeError {
  return new ForesizeError(
    {
      code: 'LIBVIRT_STUCK',
      what: `${call} was not tried: an earlier call has not returned yet`,
      where,
      remedy: 'see whether libvirtd or a VM hangs: `virsh domjobinfo VM`, journalctl -u libvirtd',
    },
    EXIT.runtime,
  );
}

/** The thread that makes the calls died of something that was not foreseen. */
export function threadEnded(uri: string, cause: unknown): ForesizeError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new ForesizeError(
    {
      code: 'LIBVIRT_THREAD_ENDED',
      what: `the thread that talks to libvirt ended${why}`,
      where: uri,
      remedy: 'start Foresize again, and report this as a fault of it',
    },
    EXIT.runtime,
    cause,
  );
}

/** There is no connection at the moment; it is being tried again. */
export function disconnected(call: string, uri: string, cause: unknown): ForesizeError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new ForesizeError(
    {
      code: MEANINGS.disconnected.code,
      what: `${call} was not tried: the connection is down${why}`,
      where: uri,
      remedy: MEANINGS.disconnected.remedy,
    },
    EXIT.runtime,
    cause,
  );
}

/** The domain is neither tagged nor listed, so that it must not be touched. */
export function notManaged(domain: string): ForesizeError {
  return new ForesizeError(
    {
      code: 'DOMAIN_NOT_MANAGED',
      what: 'the domain is neither tagged for Foresize nor listed in the mapping file; it was not touched',
      where: domain,
      remedy: 'tag it (see docs/live.md) or add it to the mapping file',
    },
    EXIT.usage,
  );
}
