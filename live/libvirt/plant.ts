import { EXIT, ForesizeError } from '../../core/errors.ts';
import type { Fleet } from '../../core/fleet.ts';
import { OUTCOME } from '../../core/intents.ts';
import type { Frame } from '../../core/model.ts';
import type { Plant, PlantChanges, PlantReport } from '../plant.ts';
import type { RecordedWrite } from '../store/entries.ts';
import type { Original } from '../store/ledger.ts';
import { LibvirtHypervisor } from './actuation.ts';
import type { LibvirtConnection } from './connection.ts';
import { DomainDirectory } from './domains.ts';
import { notManaged } from './errors.ts';
import { type LibvirtHost, openHost } from './host.ts';
import { type MappingEntry, readMapping } from './mapping.ts';
import { readOriginal, restoreOriginal } from './originals.ts';
import { LibvirtTelemetry } from './telemetry.ts';

export interface LibvirtPlantOptions {
  readonly uri: string;
  readonly mapping: string | undefined;
  /** False for a dry run: then nothing is opened that could change a VM. */
  readonly write: boolean;
  /** How long a moving balloon is watched, ms. */
  readonly balloonWaitMs: number;
  /** What went wrong while reading: the VM, if it was one, and why. */
  readonly onProblem: (problem: unknown, vmId?: string) => void;
}

/** A libvirt host as the daemon drives it. */
export class LibvirtPlant implements Plant {
  readonly uri: string;
  readonly #host: LibvirtHost;
  readonly #directory: DomainDirectory;
  readonly #options: LibvirtPlantOptions;
  #telemetry: LibvirtTelemetry | undefined;
  #hypervisor: LibvirtHypervisor | undefined;

  /** @throws ForesizeError of the mapping file, or what libvirt failed with */
  static async open(options: LibvirtPlantOptions): Promise<LibvirtPlant> {
    const mapping = options.mapping === undefined ? [] : readMapping(options.mapping);
    const host = await openHost(options.uri, options.write);
    const plant = new LibvirtPlant(host, mapping, options);
    try {
      await plant.#directory.start();
    } catch (error) {
      await plant.close();
      throw error;
    }
    return plant;
  }

  private constructor(host: LibvirtHost, mapping: readonly MappingEntry[], options: LibvirtPlantOptions) {
    this.uri = options.uri;
    this.#host = host;
    this.#options = options;
    this.#directory = new DomainDirectory(host.telemetry, host.control, mapping, (problem) =>
      options.onProblem(problem),
    );
  }

  get connected(): boolean {
    return this.#host.telemetry.connected && (this.#host.control?.connected ?? true);
  }

  get writable(): boolean {
    return this.#host.control !== undefined;
  }

  changes(): PlantChanges {
    const { departed, arrived } = this.#directory.changes();
    return {
      departed,
      arrived: arrived.flatMap((spec) => {
        const uuid = this.#directory.uuidOf(spec.vmId);
        return uuid === undefined ? [] : { spec, uuid };
      }),
    };
  }

  present(): PlantChanges['arrived'] {
    return [...this.#directory.all].sort((a, b) => (a.spec.vmId < b.spec.vmId ? -1 : 1));
  }

  attach(fleet: Fleet): void {
    const { balloonWaitMs, onProblem } = this.#options;
    this.#telemetry = new LibvirtTelemetry(this.#host.telemetry, fleet, this.#directory, (vmId, problem) =>
      onProblem(problem, vmId),
    );
    if (this.#host.control) {
      this.#hypervisor = new LibvirtHypervisor(this.#host.control, fleet, this.#directory, { balloonWaitMs });
    }
  }

  async sample(): Promise<void> {
    await this.#telemetry?.sample();
  }

  read(at: number, frame: Frame): void {
    this.#telemetry?.read(at, frame);
  }

  async original(
    vmId: string,
    resource: number,
  ): Promise<{ uuid: string; writes: readonly RecordedWrite[] }> {
    const uuid = this.#directory.uuidOf(vmId);
    if (uuid === undefined) throw notManaged(vmId);
    return { uuid, writes: await readOriginal(this.#control, uuid, resource) };
  }

  async resize(vmId: string, resource: number, from: number, to: number): Promise<PlantReport> {
    try {
      return await this.#hypervisor!.resize(vmId, resource, from, to);
    } catch (error) {
      return { outcome: OUTCOME.failed, granted: Number.NaN, latencyMs: 0, problem: error as Error };
    }
  }

  async restore(_vmId: string, original: Original): Promise<void> {
    const { uuids } = this.#directory;
    if (uuids.includes(original.uuid)) return restoreOriginal(this.#control, original);
    // Untagged while it was limited: this last write sets it free.
    await this.#control.call('allow', [...uuids, original.uuid]);
    try {
      await restoreOriginal(this.#control, original);
    } finally {
      await this.#control.call('allow', this.#directory.uuids);
    }
  }

  async close(): Promise<void> {
    this.#directory.stop();
    await this.#host.close();
  }

  get #control(): LibvirtConnection {
    if (this.#host.control) return this.#host.control;
    throw new ForesizeError(
      { code: 'DRY_RUN', what: 'a dry run writes to no VM', where: this.uri, remedy: 'start with --apply' },
      EXIT.runtime,
    );
  }
}
