import { parseDuration } from '../../core/duration.ts';
import { exp } from '../../core/math.ts';
import { grown, R } from '../../core/model.ts';
import { hashString, mix } from '../../core/rng.ts';
import type { Grid } from './grid.ts';
import type { Ingredients } from './ingredients.ts';
import type { Population } from './population.ts';
import { fastExp, NORMAL, normalOf, tickKey, uniformOf } from './random.ts';
import type { PerRow, Rows } from './rows.ts';

const STEP = hashString('resources');
const BASE = hashString('memory base');
const PERIOD = hashString('memory period');
const PHASE = hashString('memory phase');

/** VMs of a pair differ in the memory they use by 8 % and in the period of their garbage by up to a fifth. */
const BASE_DEVIATION = 0.08;
const PERIOD_JITTER = 0.2;

/** Per application: numbers of its ingredients, ready for use. */
interface Model {
  readonly base: number;
  readonly load: number;
  readonly creep: number;
  readonly periodSteps: number;
  readonly diskIdle: number;
  readonly diskPerCore: number;
  readonly diskDeviation: number;
  readonly netIdle: number;
  readonly netPerCore: number;
  readonly netDeviation: number;
  /** Weight of the new value in the exponential averages with which the three follow CPU. */
  readonly memoryFollows: number;
  readonly diskFollows: number;
  readonly netFollows: number;
}

/**
 * Divides load among the four resources, and so correlates them. CPU is the load. Disk and network are so many
 * bytes a core-second of what CPU was over their lag, times noise of their own. Memory is a base and a part in
 * proportion to the share of its cores the VM kept busy over memory's lag, up to all of them; both times a
 * saw-tooth: garbage or a leak grows until it is freed.
 */
export class Resources implements PerRow {
  /** Demand, row x R, for the interval last applied. */
  demand = new Float64Array(0);
  readonly #rows: Rows;
  readonly #models: readonly Model[];
  readonly #application: Int32Array;
  /** CPU as disk, network and memory follow it, cores. */
  #disk = new Float64Array(0);
  #net = new Float64Array(0);
  #memory = new Float64Array(0);
  #base = new Float64Array(0);
  /** Where in its saw-tooth the VM is, 0..1, and how far it goes in an interval. */
  #saw = new Float64Array(0);
  #sawStep = new Float64Array(0);

  constructor({ applications, pairs }: Population, rows: Rows, grid: Grid) {
    this.#rows = rows;
    this.#models = applications.map(({ ingredients }) => modelOf(ingredients, grid.stepMs));
    this.#application = Int32Array.from(pairs, ({ application }) => application);
  }

  grow(capacity: number): void {
    this.demand = grown(this.demand, capacity * R);
    this.#disk = grown(this.#disk, capacity);
    this.#net = grown(this.#net, capacity);
    this.#memory = grown(this.#memory, capacity);
    this.#base = grown(this.#base, capacity);
    this.#saw = grown(this.#saw, capacity);
    this.#sawStep = grown(this.#sawStep, capacity);
  }

  /** VMs there from the start have long been running; one that comes later has yet to fill its memory. */
  admit(row: number, t: number): void {
    const { key, level, memory, pair } = this.#rows;
    const k = key[row]!;
    const { base, periodSteps } = this.#models[this.#application[pair[row]!]!]!;
    this.#disk[row] = level[row]!;
    this.#net[row] = level[row]!;
    this.#memory[row] = t === 0 ? level[row]! : 0;
    this.#base[row] = memory[row]! * base * fastExp(BASE_DEVIATION * normalOf(k, BASE));
    this.#saw[row] = t === 0 ? uniformOf(k, PHASE) : 0;
    this.#sawStep[row] = 1 / (periodSteps * (1 + PERIOD_JITTER * (2 * uniformOf(k, PERIOD) - 1)));
  }

  apply(t: number, load: Float64Array): void {
    const { high, pair, key, cores, memory } = this.#rows;
    const now = tickKey(t, STEP);
    const { demand } = this;
    const models = this.#models;
    const application = this.#application;
    const disks = this.#disk;
    const nets = this.#net;
    const slows = this.#memory;
    const bases = this.#base;
    const saws = this.#saw;
    const sawStep = this.#sawStep;
    for (let row = 0; row < high; row++) {
      const model = models[application[pair[row]!]!]!;
      const cpu = load[row]!;
      const random = mix(key[row]! ^ now);
      const disk = disks[row]! + model.diskFollows * (cpu - disks[row]!);
      const net = nets[row]! + model.netFollows * (cpu - nets[row]!);
      const slow = slows[row]! + model.memoryFollows * (cpu - slows[row]!);
      const saw = saws[row]! + sawStep[row]!;
      disks[row] = disk;
      nets[row] = net;
      slows[row] = slow;
      saws[row] = saw - Math.floor(saw);

      const busy = Math.min(1, slow / cores[row]!);
      const used = bases[row]! + memory[row]! * model.load * busy;
      const diskNoise = model.diskDeviation * (NORMAL[random >>> 20]! - 0.5 * model.diskDeviation);
      const netNoise = model.netDeviation * (NORMAL[(random >>> 8) & 4095]! - 0.5 * model.netDeviation);
      const at = row * R;
      demand[at] = cpu;
      demand[at + 1] = used * (1 + model.creep * saws[row]!);
      demand[at + 2] = (model.diskIdle + model.diskPerCore * disk) * fastExp(diskNoise);
      demand[at + 3] = (model.netIdle + model.netPerCore * net) * fastExp(netNoise);
    }
  }
}

function modelOf({ memory, diskIo, network }: Ingredients, stepMs: number): Model {
  return {
    base: memory.base,
    load: memory.load,
    creep: memory.creep,
    periodSteps: parseDuration(memory.period) / stepMs,
    diskIdle: diskIo.idle,
    diskPerCore: diskIo.perCore,
    diskDeviation: diskIo.deviation,
    netIdle: network.idle,
    netPerCore: network.perCore,
    netDeviation: network.deviation,
    memoryFollows: follows(memory.lag, stepMs),
    diskFollows: follows(diskIo.lag, stepMs),
    netFollows: follows(network.lag, stepMs),
  };
}

/** Weight of the new value in an exponential average of the time constant `lag`. */
function follows(lag: string, stepMs: number): number {
  const ms = parseDuration(lag);
  return ms === 0 ? 1 : 1 - exp(-stepMs / ms);
}
