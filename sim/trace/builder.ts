import { CPU, DISK_IO, MEMORY, NETWORK, R, RESOURCES, type Resource, UNITS } from '../../core/model.ts';
import { byName } from './files.ts';
import { badStamp, noSuchVm, noValues, quoted, stampOutOfRange, tooLarge, zeroCores } from './problems.ts';
import { resample } from './resample.ts';
import { MAX_INTERVALS, MAX_TIME, MAX_VALUE, type SampleShape, shapeOf, VmSamples } from './samples.ts';
import type { Assumed, ReadReport, Trace, TraceFormat, TraceVm } from './types.ts';

/** What a reader states about its format, and the user's choices that bear on every row. */
export interface BuilderOptions {
  readonly name: string;
  readonly path: string;
  readonly format: TraceFormat;
  readonly stepMs: number;
  /** Resources the format can have. */
  readonly has: readonly [boolean, boolean, boolean, boolean];
  /** Samples stand for spans of time. */
  readonly spans: boolean;
  readonly statistic: 'avg' | 'max';
  readonly assume: Assumed;
  readonly limit: number;
  readonly vms: readonly string[] | undefined;
}

/** User and application where a trace names none: every VM is an application of its own, of one unnamed user. */
export const UNKNOWN_USER = 'unknown';

/** Collects what a reader finds, VM by VM, and makes the trace of it. */
export class TraceBuilder {
  rows = 0;
  readonly options: BuilderOptions;
  readonly #shape: SampleShape;
  readonly #wanted: ReadonlySet<string> | undefined;
  readonly #vms = new Map<string, VmSamples | undefined>();
  readonly #notes: string[] = [];
  readonly #assumedFor = new Map<number, number>();
  readonly #machineFor = new Set<number>();
  /** Largest id kept, while there is a limit and it is reached. */
  #largest: string | undefined;
  #kept = 0;
  /** Columns of a settled VM, for the next one to fill. */
  #spare: VmSamples | undefined;

  constructor(options: BuilderOptions) {
    this.options = options;
    this.#shape = shapeOf(options.stepMs, options.spans, options.has);
    this.#wanted = options.vms && new Set(options.vms);
  }

  /** Whether the user asks for this VM at all. */
  wants(id: string): boolean {
    return this.#wanted === undefined || this.#wanted.has(id);
  }

  /** The first `limit` of the ids the user asks for, in sorted order: for formats that know all ids beforehand. */
  select(ids: readonly string[]): string[] {
    const sorted = ids.filter((id) => this.wants(id)).sort(byName);
    for (const id of sorted.slice(this.options.limit)) this.#vms.set(id, undefined);
    return sorted.slice(0, this.options.limit);
  }

  /** The VM of this id, made when it is new; undefined when it is not asked for or beyond the limit. */
  vm(id: string): VmSamples | undefined {
    const known = this.#vms.get(id);
    if (known !== undefined) return known;
    if (this.#vms.has(id) || !this.wants(id)) return undefined;
    if (this.#kept >= this.options.limit) {
      // Rows come in any order, so the first N in sorted order are known only at the end: until then the N
      // smallest so far are kept. An id once pushed out stays out, because the N smallest only get smaller.
      if (id > this.#largest!) {
        if (this.#wanted) this.#vms.set(id, undefined);
        return undefined;
      }
      this.#vms.set(this.#largest!, undefined);
      this.#kept--;
    }
    const made = new VmSamples(id, id, UNKNOWN_USER, this.#shape, this.#spare);
    this.#spare = undefined;
    this.#vms.set(id, made);
    this.#kept++;
    if (this.#kept >= this.options.limit) this.#largest = this.#findLargest();
    return made;
  }

  #findLargest(): string {
    let largest = '';
    for (const [id, vm] of this.#vms) if (vm !== undefined && id > largest) largest = id;
    return largest;
  }

  /** A VM that is already there and kept. */
  known(id: string): VmSamples | undefined {
    return this.#vms.get(id);
  }

  kept(): VmSamples[] {
    const vms: VmSamples[] = [];
    for (const vm of this.#vms.values()) if (vm !== undefined) vms.push(vm);
    return vms.sort((a, b) => byName(a.id, b.id));
  }

  /** Adds a row to `vm`; `where` is only asked for its text when the stamp is out of range. */
  add(
    vm: VmSamples,
    where: { readonly where: string },
    timeMs: number,
    durationMs: number,
    cpu: number,
    memory: number,
    diskIo: number,
    network: number,
  ): void {
    if (!(timeMs + durationMs <= MAX_TIME))
      throw badStamp(where.where, String(timeMs), 'a time before the year 255,000');
    if (!vm.reaches(timeMs, durationMs)) throw stampOutOfRange(where.where, vm.id, MAX_INTERVALS);
    if (cpu > MAX_VALUE || memory > MAX_VALUE || diskIo > MAX_VALUE || network > MAX_VALUE) {
      throw tooLarge(
        where.where,
        'usage',
        Math.max(cpu || 0, memory || 0, diskIo || 0, network || 0),
        MAX_VALUE,
      );
    }
    vm.add(timeMs, durationMs, cpu, memory, diskIo, network);
  }

  /** All rows of `vm` are read and its sizes are known: puts it on the grid, which frees its rows. */
  settle(vm: VmSamples): void {
    for (const size of vm.size) {
      if (size > MAX_VALUE)
        throw tooLarge(this.options.path, `a size of VM ${quoted(vm.id)}`, size, MAX_VALUE);
    }
    vm.settled = resample(vm, this.options.stepMs, this.options.statistic);
    this.#spare = vm;
  }

  note(text: string): void {
    this.#notes.push(text);
  }

  /** Sets a VM's cores from the trace, insisting that there are some. */
  setCores(vm: VmSamples, cores: number, where: string): void {
    if (!(cores > 0)) throw zeroCores(where, vm.id);
    vm.size[CPU] = cores;
  }

  /**
   * Usage of `resource` is a share of the VM's size: sets the factor that makes units of it. Where the trace does
   * not state the size it is assumed, and a note says for how many VMs.
   *
   * @param whole the share that stands for the whole size: 100 for %
   */
  shareOfSize(vm: VmSamples, resource: number, whole: number): void {
    let size = vm.size[resource]!;
    if (Number.isNaN(size)) {
      size = assumedSize(this.options.assume, resource);
      vm.size[resource] = size;
      this.#assumedFor.set(resource, (this.#assumedFor.get(resource) ?? 0) + 1);
    }
    vm.scale[resource] = size / whole;
  }

  /**
   * The trace: VMs in sorted order on one grid, cut to the window [from, to).
   *
   * @throws ForesizeError when a VM asked for is not there, or no VM has a value
   */
  finish(hashes: ReadonlyMap<string, string>, sha256: string): Trace {
    const { options } = this;
    const missing = options.vms?.filter((id) => !this.#vms.has(id)) ?? [];
    if (missing.length > 0) throw noSuchVm(options.path, missing);

    const counts = { outOfOrder: 0, duplicates: 0, invalid: 0, gaps: 0, vmsWithoutValues: 0 };
    const examples: string[] = [];
    const vms: { vm: VmSamples; first: number; usage: Float32Array }[] = [];
    let epoch = Number.POSITIVE_INFINITY;
    let has = 0;
    for (const vm of this.kept()) {
      counts.outOfOrder += vm.outOfOrder;
      counts.invalid += vm.invalid;
      if (examples.length < 5) examples.push(...vm.examples.slice(0, 5 - examples.length));
      if (vm.settled === undefined) {
        this.settle(vm);
        vm.release();
      }
      const made = vm.settled;
      if (!made) {
        counts.vmsWithoutValues++;
        continue;
      }
      counts.duplicates += made.duplicates;
      counts.gaps += made.gaps;
      epoch = Math.min(epoch, made.first);
      has |= made.has;
      vms.push({ vm, first: made.first, usage: made.usage });
    }
    if (vms.length === 0) throw noValues(options.path);

    const report: ReadReport = {
      files: hashes.size,
      rows: this.rows,
      ...counts,
      examples,
      notes: [...this.#notes, ...this.#assumptions()],
      sha256,
    };
    return {
      name: options.name,
      format: options.format,
      epochMs: epoch * options.stepMs,
      stepMs: options.stepMs,
      has: [bit(has, CPU), bit(has, MEMORY), bit(has, DISK_IO), bit(has, NETWORK)],
      vms: vms.map(
        ({ vm, first, usage }): TraceVm => ({
          vmId: vm.id,
          applicationId: vm.applicationId,
          userId: vm.userId,
          size: [vm.size[CPU]!, vm.size[MEMORY]!, vm.size[DISK_IO]!, vm.size[NETWORK]!],
          start: first - epoch,
          usage,
        }),
      ),
      report,
    };
  }

  /** Usage of `resource` is a share of the largest machine of the trace: sets the factor that makes units of it. */
  shareOfMachine(vm: VmSamples, resource: number, whole: number): void {
    this.#machineFor.add(resource);
    vm.scale[resource] = assumedSize(this.options.assume, resource) / whole;
  }

  #assumptions(): string[] {
    const notes: string[] = [];
    for (let r = 0; r < R; r++) {
      const resource = RESOURCES[r] as Resource;
      const amount = assumedSize(this.options.assume, r);
      const unit = resource === 'cpu' && amount === 1 ? 'core' : UNITS[resource];
      const size = `${amount.toLocaleString('en-US')} ${unit}`;
      const count = this.#assumedFor.get(r);
      if (count !== undefined) {
        const vms = count === 1 ? '1 VM' : `${count.toLocaleString('en-US')} VMs`;
        notes.push(
          `${resource}: full use assumed to be ${size} for ${vms}, whose size the trace does not state`,
        );
      }
      if (this.#machineFor.has(r)) {
        notes.push(
          `${resource}: the largest machine, to which the trace is normalised, assumed to be ${size}`,
        );
      }
    }
    return notes;
  }
}

function bit(mask: number, at: number): boolean {
  return ((mask >>> at) & 1) === 1;
}

function assumedSize(assume: Assumed, resource: number): number {
  switch (resource) {
    case CPU:
      return assume.cores;
    case MEMORY:
      return assume.memoryMiB;
    case DISK_IO:
      return assume.diskBytesPerS;
    default:
      return assume.networkBytesPerS;
  }
}
