import type { LibvirtFailure } from './errors.ts';
import type { Params } from './typed-params.ts';

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
  readonly problems: readonly LibvirtFailure[];
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
