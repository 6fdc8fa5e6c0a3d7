import { EXIT, ForesizeError } from '../../core/errors.ts';
import type { VmSpec } from '../../core/model.ts';
import { type Assignment, vmSpec } from './assignment.ts';
import type { LibvirtConnection } from './connection.ts';
import { followChanges } from './events.ts';
import type { MappingEntry } from './mapping.ts';
import { parseMetadata } from './metadata.ts';
import type { DomainInfo } from './session-types.ts';
import type { DomainLookup } from './telemetry.ts';

/** A running domain that Foresize may read and resize. */
export interface ManagedDomain {
  readonly uuid: string;
  readonly assignment: Assignment;
  readonly spec: VmSpec;
}

export interface Assigned {
  readonly uuid: string;
  readonly name: string;
  readonly active: boolean;
  readonly assignment: Assignment;
}

/**
 * The domains that are tagged or listed; the mapping file wins over a tag. A tag that cannot be used leaves its
 * domain out, with a problem.
 */
export function assignDomains(
  domains: readonly DomainInfo[],
  mapping: readonly MappingEntry[],
): { assigned: Assigned[]; problems: ForesizeError[] } {
  const listed = new Map(mapping.map((entry) => [entry.domain, entry.assignment]));
  const problems: ForesizeError[] = [];
  const assigned: Assigned[] = [];
  for (const { name, uuid, active, metadata } of domains) {
    let assignment = listed.get(name) ?? listed.get(uuid);
    if (!assignment && metadata !== undefined) {
      try {
        assignment = parseMetadata(metadata, name);
      } catch (error) {
        if (!(error instanceof ForesizeError)) throw error;
        problems.push(error);
      }
    }
    if (assignment) assigned.push({ name, uuid, active, assignment });
  }
  return { assigned, problems };
}

/** @throws ForesizeError MAPPING_UNKNOWN_DOMAIN with every entry that names no domain of the host */
export function checkMapping(domains: readonly DomainInfo[], mapping: readonly MappingEntry[]): void {
  const known = new Set(domains.flatMap(({ name, uuid }) => [name, uuid]));
  const unknown = mapping.filter(({ domain }) => !known.has(domain));
  if (unknown.length === 0) return;
  throw new ForesizeError(
    unknown.map(({ domain, where }) => ({
      code: 'MAPPING_UNKNOWN_DOMAIN',
      what: `the host has no domain ${domain}`,
      where,
      remedy: 'compare with `virsh list --all`, and correct or remove the entry',
    })),
    EXIT.usage,
  );
}

/** VMs that came or changed and VMs that went, in the order to be told to a fleet: departures first. */
export interface FleetChanges {
  readonly departed: readonly string[];
  readonly arrived: readonly VmSpec[];
}

/**
 * The list of managed VMs, kept true by domain events. A VM's id is its domain's name; a domain made anew under
 * an old name is another VM. The driver takes the changes at its own time by `changes`.
 */
export class DomainDirectory implements DomainLookup {
  readonly #telemetry: LibvirtConnection;
  readonly #control: LibvirtConnection | undefined;
  readonly #mapping: readonly MappingEntry[];
  readonly #onProblem: (problem: unknown) => void;
  readonly #unfollow: (() => void)[] = [];
  #managed = new Map<string, ManagedDomain>();
  #departed = new Set<string>();
  #arrived = new Map<string, VmSpec>();
  /** What the driver was told of and has not been told the departure of. */
  readonly #told = new Set<string>();
  #refreshing: Promise<void> | undefined;
  #again = false;

  /** @param control told which domains may be written to; undefined in a dry run */
  constructor(
    telemetry: LibvirtConnection,
    control: LibvirtConnection | undefined,
    mapping: readonly MappingEntry[],
    onProblem: (problem: unknown) => void = () => {},
  ) {
    this.#telemetry = telemetry;
    this.#control = control;
    this.#mapping = mapping;
    this.#onProblem = onProblem;
  }

  /**
   * Reads the list for the first time and follows it from then on.
   * @throws ForesizeError MAPPING_UNKNOWN_DOMAIN, or what libvirt failed with
   */
  async start(): Promise<void> {
    checkMapping(await this.#telemetry.call('list'), this.#mapping);
    await this.#read();
    const refresh = () => void this.refresh().catch(this.#onProblem);
    this.#unfollow.push(followChanges(this.#telemetry, refresh));
    if (this.#control) this.#unfollow.push(followChanges(this.#control, refresh));
  }

  stop(): void {
    for (const end of this.#unfollow.splice(0)) end();
  }

  /** Reads the list again. Calls while a reading goes on lead to one more, which serves them all. */
  refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#again = true;
      return this.#refreshing;
    }
    this.#refreshing = (async () => {
      do {
        this.#again = false;
        await this.#read();
      } while (this.#again);
    })().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** What changed since the last call. */
  changes(): FleetChanges {
    const changes = { departed: [...this.#departed], arrived: [...this.#arrived.values()] };
    for (const vmId of this.#departed) this.#told.delete(vmId);
    for (const vmId of this.#arrived.keys()) this.#told.add(vmId);
    this.#departed = new Set();
    this.#arrived = new Map();
    return changes;
  }

  uuidOf(vmId: string): string | undefined {
    return this.#managed.get(vmId)?.uuid;
  }

  get(vmId: string): ManagedDomain | undefined {
    return this.#managed.get(vmId);
  }

  get size(): number {
    return this.#managed.size;
  }

  /** All that are here. */
  get all(): readonly ManagedDomain[] {
    return [...this.#managed.values()];
  }

  /** UUIDs of all that may be written to. */
  get uuids(): string[] {
    return [...this.#managed.values()].map(({ uuid }) => uuid);
  }

  async #read(): Promise<void> {
    const { assigned, problems } = assignDomains(await this.#telemetry.call('list'), this.#mapping);
    problems.forEach(this.#onProblem);
    const managed = new Map<string, ManagedDomain>();
    for (const { name, uuid, active, assignment } of assigned) {
      if (!active) continue;
      const known = this.#managed.get(name);
      if (known?.uuid === uuid && JSON.stringify(known.assignment) === JSON.stringify(assignment)) {
        managed.set(name, known);
        continue;
      }
      try {
        const limits = await this.#telemetry.call('limits', uuid);
        managed.set(name, { uuid, assignment, spec: vmSpec(name, assignment, limits) });
      } catch (problem) {
        // Gone in between, as a rule; if not, it is tried again with the next event.
        this.#onProblem(problem);
      }
    }
    this.#note(managed);
    this.#managed = managed;
    // With no connection this fails, as would any write; a connection that is back leads here again.
    await this.#control?.call('allow', this.uuids);
  }

  #note(managed: ReadonlyMap<string, ManagedDomain>): void {
    for (const [vmId, before] of this.#managed) {
      const now = managed.get(vmId);
      if (now?.uuid === before.uuid) continue;
      this.#arrived.delete(vmId);
      // One that came and went between two looks of the driver was never seen by it.
      if (this.#told.has(vmId)) this.#departed.add(vmId);
    }
    for (const [vmId, now] of managed) if (this.#managed.get(vmId) !== now) this.#arrived.set(vmId, now.spec);
  }
}
