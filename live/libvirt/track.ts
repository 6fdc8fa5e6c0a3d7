import { CPU, DISK_IO, MEMORY, NETWORK } from '../../core/model.ts';
import { BalloonFreshness, scarcity, workingSetKib } from './balloon.ts';
import { MonotoneSum } from './rates.ts';
import { COUNTERS, type CounterName, type Granted, type Reading } from './stats.ts';

/** Readings kept while nobody asks for them. */
const MAX_POINTS = 1024;

/** At this share of its limit a disk or interface counts as held back by it. */
const AT_LIMIT = 0.95;

interface Point {
  readonly at: number;
  readonly mono: number;
  readonly totals: Readonly<Record<CounterName, number>>;
  /** MiB in use and the scarcity of what is left; NaN without a fresh report. */
  readonly used: number;
  readonly scarcity: number;
  readonly granted: Granted;
}

/** Which total tells that the counters of a resource were read at all. */
const KEY: Readonly<Record<number, CounterName>> = {
  [CPU]: 'cpuTime',
  [DISK_IO]: 'diskBytes',
  [NETWORK]: 'rxBytes',
};

/** What one VM did between two ticks. NaN: not known. */
export interface Window {
  readonly sampledAt: number;
  readonly granted: Granted;
  readonly usage: readonly [cpu: number, memory: number, diskIo: number, network: number];
  readonly pressure: readonly [cpu: number, memory: number, diskIo: number, network: number];
}

/** The readings of one VM, from which each tick takes the part up to its own time. */
export class Track {
  readonly #sums = Object.fromEntries(COUNTERS.map((name) => [name, new MonotoneSum()])) as Record<
    CounterName,
    MonotoneSum
  >;
  readonly #fresh = new BalloonFreshness();
  #points: Point[] = [];
  #bootId: number | undefined;
  /** The point each resource was last told up to. */
  readonly #base: (Point | undefined)[] = [];

  add(reading: Reading): void {
    const rebooted = this.#bootId !== undefined && this.#bootId !== reading.bootId;
    this.#bootId = reading.bootId;
    const totals = {} as Record<CounterName, number>;
    for (const name of COUNTERS) totals[name] = this.#sums[name].observe(reading.counters[name], rebooted);
    const fresh = this.#fresh.observe(reading.balloon, reading.at);
    this.#points.push({
      at: reading.at,
      mono: reading.mono,
      totals,
      used: fresh ? workingSetKib(reading.balloon) / 1024 : Number.NaN,
      scarcity: fresh ? scarcity(reading.balloon) : Number.NaN,
      granted: reading.granted,
    });
    if (this.#points.length > MAX_POINTS) this.#points.shift();
  }

  /**
   * What happened since the last call, as far as it is known at `at`. Undefined if nothing new is. The first
   * reading of a counter only sets its mark: usage follows with the second.
   */
  take(at: number): Window | undefined {
    const count = this.#points.findLastIndex((point) => point.at <= at) + 1;
    if (count === 0) return undefined;
    const points = this.#points.slice(0, count);
    const newest = points[count - 1]!;
    this.#points = this.#points.slice(count);
    const [cpu, cpuPressure] = this.#cpu(points);
    const [disk, diskPressure] = this.#disk(points);
    const [network, networkPressure] = this.#network(points);
    const [memory, memoryPressure] = this.#memory(points);
    return {
      sampledAt: newest.at,
      granted: newest.granted,
      usage: [cpu, memory, disk, network],
      pressure: [cpuPressure, memoryPressure, diskPressure, networkPressure],
    };
  }

  /** Cores used, and the share of wanted CPU time the vCPUs had to wait for. */
  #cpu(points: readonly Point[]): Pair {
    const span = this.#span(CPU, points);
    if (!span) return UNKNOWN;
    const run = span.grew('vcpuTime');
    const delay = span.grew('vcpuDelay');
    return [span.grew('cpuTime') / 1e6 / span.ms, share(delay, run + delay)];
  }

  /** Bytes/s, and, at the limit, the share of time at least one request was under way. */
  #disk(points: readonly Point[]): Pair {
    const span = this.#span(DISK_IO, points);
    if (!span) return UNKNOWN;
    const rate = (span.grew('diskBytes') / span.ms) * 1000;
    const waiting = Math.min(1, span.grew('diskTime') / 1e6 / span.ms);
    return [rate, rate >= AT_LIMIT * span.to.granted.diskIo ? waiting : 0];
  }

  /** Bytes/s in the busier direction, since each has the whole limit to itself; and the share of packets dropped. */
  #network(points: readonly Point[]): Pair {
    const span = this.#span(NETWORK, points);
    if (!span) return UNKNOWN;
    const drops = span.grew('drops');
    const bytes = Math.max(span.grew('rxBytes'), span.grew('txBytes'));
    return [(bytes / span.ms) * 1000, share(drops, drops + span.grew('packets'))];
  }

  /** Mean MiB in use; and how scarce memory became, or how much of it had to come back from swap. */
  #memory(points: readonly Point[]): Pair {
    const known = points.filter((point) => !Number.isNaN(point.used));
    if (known.length === 0) return UNKNOWN;
    const used = known.reduce((sum, point) => sum + point.used, 0) / known.length;
    const scarce = Math.max(...known.map((point) => point.scarcity));
    const swapped = this.#span(MEMORY, known)?.grew('swapIn') ?? 0;
    return [used, Math.max(scarce, Math.min(1, share(swapped / 1024, used)))];
  }

  /** From where the resource was last told to its newest reading; undefined while one end is missing. */
  #span(resource: number, points: readonly Point[]): Span | undefined {
    const key = KEY[resource] ?? 'swapIn';
    const read = points.filter((point) => !Number.isNaN(point.totals[key]));
    const to = read.at(-1);
    if (!to) return undefined;
    const from = this.#base[resource] ?? read[0]!;
    this.#base[resource] = to;
    const ms = to.mono - from.mono;
    if (!(ms > 0)) return undefined;
    return { to, ms, grew: (name) => (to.totals[name] || 0) - (from.totals[name] || 0) };
  }
}

type Pair = readonly [usage: number, pressure: number];
const UNKNOWN: Pair = [Number.NaN, 0];

interface Span {
  readonly to: Point;
  readonly ms: number;
  grew(name: CounterName): number;
}

function share(part: number, whole: number): number {
  return whole > 0 && part > 0 ? part / whole : 0;
}
