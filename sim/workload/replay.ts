import { R, RESOURCES, type Resource, type ResourceVector } from '../../core/model.ts';
import type { Trace, TraceVm } from '../trace/types.ts';
import { type Bounds, specOf } from './bounds.ts';
import type { Arrival, Workload, WorkloadStream } from './types.ts';

export interface ReplayOptions {
  /** Number of intervals to replay from the trace's start, at most what it has; without it, all. */
  readonly intervals?: number | undefined;
  /** Demand is this many times the recorded usage. */
  readonly scale: number;
  /** The owner's request of a resource whose size the trace does not state, in `UNITS`. */
  readonly requested: { readonly [name in Resource]?: number | undefined };
  /** Where neither states one: this many times the VM's own highest demand in the trace. */
  readonly peakFactor: number;
  readonly bounds: Bounds;
}

/**
 * Replays recorded usage as demand. A gap holds the last value before it, a gap at the start the first after
 * it, a resource the trace lacks is 0 and not managed, and a value below 0 counts as 0.
 *
 * What a trace recorded had been held back by the allocation of its day, so this demand is a lower bound.
 */
export function replayWorkload(trace: Trace, options: ReplayOptions): Workload {
  return new ReplayWorkload(trace, options);
}

/** Number of intervals until the last VM of the trace ends. */
function traceIntervals(trace: Trace): number {
  let end = 0;
  for (const vm of trace.vms) end = Math.max(end, endOf(vm));
  return end;
}

/** Intervals a block of the demand table holds. */
const BLOCK = 64;

/** Demand of BLOCK intervals, interval x width, with R numbers at `row * R` for the VM in the row. */
interface Block {
  readonly width: number;
  readonly demand: Float32Array;
}

/**
 * A trace is stored VM by VM and read interval by interval. It is turned once, here, so that reading an interval
 * is a walk through memory, in every run and for every stream; the trace itself may then be forgotten.
 */
class ReplayWorkload implements Workload {
  readonly name: string;
  readonly epochMs: number;
  readonly stepMs: number;
  readonly intervals: number;
  readonly #arrivals = new Map<number, Arrival[]>();
  readonly #blocks: Block[] = [];
  /** A VM's row, the same in all blocks it lives in. Rows are used again after a VM has gone. */
  readonly #row: Int32Array;

  constructor(trace: Trace, options: ReplayOptions) {
    this.name = trace.name;
    this.epochMs = trace.epochMs;
    this.stepMs = trace.stepMs;
    const intervals = Math.min(options.intervals ?? Number.POSITIVE_INFINITY, traceIntervals(trace));
    this.intervals = intervals;
    const vms = trace.vms.filter((vm) => vm.start < intervals);
    this.#row = new Int32Array(vms.length);
    const held = new Float64Array(vms.length * R);
    for (let vm = 0; vm < vms.length; vm++) {
      const { first, peak } = scan(vms[vm]!, options.scale);
      held.set(first, vm * R);
      this.#announce(vm, vms[vm]!, request(trace, vms[vm]!, peak, options), options.bounds);
    }
    this.#turn(vms, held, options.scale);
  }

  open(): WorkloadStream {
    return new ReplayStream(this.#arrivals, this.#blocks, this.#row);
  }

  #announce(vm: number, recorded: TraceVm, requested: ResourceVector, bounds: Bounds): void {
    const { vmId, applicationId, userId, start } = recorded;
    const end = endOf(recorded);
    const arrival: Arrival = {
      vm,
      spec: specOf(vmId, applicationId, userId, requested, bounds),
      until: end < this.intervals ? end : Number.POSITIVE_INFINITY,
    };
    const together = this.#arrivals.get(start);
    if (together) together.push(arrival);
    else this.#arrivals.set(start, [arrival]);
  }

  #turn(vms: readonly TraceVm[], held: Float64Array, scale: number): void {
    const byStart = vms.map((_, vm) => vm).sort((a, b) => vms[a]!.start - vms[b]!.start || a - b);
    let next = 0;
    let rows = 0;
    let free: number[] = [];
    let here: number[] = [];
    for (let from = 0; from < this.intervals; from += BLOCK) {
      const to = from + BLOCK;
      while (next < byStart.length && vms[byStart[next]!]!.start < to) {
        const vm = byStart[next++]!;
        this.#row[vm] = free.pop() ?? rows++;
        here.push(vm);
      }
      const width = rows * R;
      const demand = new Float32Array(width * BLOCK);
      for (const vm of here) fill(vms[vm]!, held, vm * R, scale, from, demand, width, this.#row[vm]! * R);
      this.#blocks.push({ width, demand });
      free = free.concat(here.filter((vm) => endOf(vms[vm]!) <= to).map((vm) => this.#row[vm]!));
      here = here.filter((vm) => endOf(vms[vm]!) > to);
    }
  }
}

const NONE: readonly Arrival[] = [];

class ReplayStream implements WorkloadStream {
  readonly #arrivals: ReadonlyMap<number, readonly Arrival[]>;
  readonly #blocks: readonly Block[];
  readonly #row: Int32Array;

  constructor(arrivals: ReadonlyMap<number, readonly Arrival[]>, blocks: readonly Block[], row: Int32Array) {
    this.#arrivals = arrivals;
    this.#blocks = blocks;
    this.#row = row;
  }

  arrivals(t: number): readonly Arrival[] {
    return this.#arrivals.get(t) ?? NONE;
  }

  demand(t: number, count: number, vm: Int32Array, slot: Int32Array, out: Float64Array): void {
    const { demand, width } = this.#blocks[Math.floor(t / BLOCK)]!;
    const row = this.#row;
    const base = (t % BLOCK) * width;
    for (let k = 0; k < count; k++) {
      const from = base + row[vm[k]!]! * R;
      const to = slot[k]! * R;
      out[to] = demand[from]!;
      out[to + 1] = demand[from + 1]!;
      out[to + 2] = demand[from + 2]!;
      out[to + 3] = demand[from + 3]!;
    }
  }
}

function endOf(vm: TraceVm): number {
  return vm.start + vm.usage.length / R;
}

function request(
  trace: Trace,
  vm: TraceVm,
  peak: Float64Array,
  { requested, peakFactor }: ReplayOptions,
): ResourceVector {
  const of = (name: Resource, r: number): number => {
    if (!trace.has[r]) return 0;
    return vm.size[r]! > 0 ? vm.size[r]! : (requested[name] ?? peak[r]! * peakFactor);
  };
  return RESOURCES.map(of) as unknown as ResourceVector;
}

/** The first value and the highest demand of each resource; 0 where it has none. */
function scan({ usage }: TraceVm, scale: number): { first: Float64Array; peak: Float64Array } {
  const first = new Float64Array(R).fill(Number.NaN);
  const peak = new Float64Array(R);
  for (let i = 0; i < usage.length; i++) {
    const r = i % R;
    const value = demandOf(usage[i]! * scale, Number.NaN);
    if (Number.isNaN(first[r]!)) first[r] = value;
    if (value > peak[r]!) peak[r] = value;
  }
  for (let r = 0; r < R; r++) if (Number.isNaN(first[r]!)) first[r] = 0;
  return { first, peak };
}

/** `x`, at least 0; the value held when there is none. */
function demandOf(x: number, held: number): number {
  if (x - x !== 0) return held; // NaN or infinite
  return Math.max(x, 0);
}

/** Writes the VM's demand from interval `from` to its column of the block, and keeps its last values in `held`. */
function fill(
  { start, usage }: TraceVm,
  held: Float64Array,
  at: number,
  scale: number,
  from: number,
  block: Float32Array,
  width: number,
  column: number,
): void {
  const begin = Math.max(start, from);
  const end = Math.min((from + BLOCK - start) * R, usage.length);
  let cpu = held[at]!;
  let memory = held[at + 1]!;
  let diskIo = held[at + 2]!;
  let network = held[at + 3]!;
  let to = (begin - from) * width + column;
  for (let i = (begin - start) * R; i < end; i += R) {
    block[to] = cpu = demandOf(usage[i]! * scale, cpu);
    block[to + 1] = memory = demandOf(usage[i + 1]! * scale, memory);
    block[to + 2] = diskIo = demandOf(usage[i + 2]! * scale, diskIo);
    block[to + 3] = network = demandOf(usage[i + 3]! * scale, network);
    to += width;
  }
  held[at] = cpu;
  held[at + 1] = memory;
  held[at + 2] = diskIo;
  held[at + 3] = network;
}
