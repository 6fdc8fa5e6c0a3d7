import { exp, normalQuantile, sinTurns } from '../../../core/math.ts';
import { CPU, DISK_IO, MEMORY, NETWORK, R } from '../../../core/model.ts';
import { Rng } from '../../../core/rng.ts';

export const DAY = 288;

/**
 * Calm load of one VM, made for tests: day and week rhythm, a nightly job in every fourth VM, none in every other fourth;
 * noise is lognormal, autocorrelated and partly shared by the VM's resources. A forecaster that knows all but the
 * noise fills `median`, `lower` and `upper`.
 */
export class CalmLoad {
  readonly usage = new Float64Array(R);
  readonly median = new Float64Array(R);
  readonly lower = new Float64Array(R);
  readonly upper = new Float64Array(R);
  readonly #rng: Rng;
  readonly #base: readonly number[];
  readonly #kind: number;
  readonly #phase: number;
  readonly #swing: number;
  readonly #noise: number;
  readonly #own = new Float64Array(R);
  #shared = 0;

  constructor(vm: number, seed: number) {
    const rng = new Rng(seed, 'calm', vm);
    this.#rng = rng;
    this.#kind = vm % 4;
    this.#base = [
      0.5 + 2 * rng.uniform(),
      2000 + 6000 * rng.uniform(),
      2e6 * (0.5 + rng.uniform()),
      5e6 * (0.5 + rng.uniform()),
    ];
    this.#phase = rng.uniform();
    this.#swing = (this.#kind === 1 ? 0.1 : 1) * (0.3 + 0.4 * rng.uniform());
    this.#noise = 0.05 + 0.1 * rng.uniform();
  }

  base(resource: number): number {
    return this.#base[resource]!;
  }

  /** Tick after tick from 0. */
  next(tick: number): void {
    const rng = this.#rng;
    const day = Math.floor(tick / DAY);
    const at = tick % DAY;
    const season = 1 + this.#swing * sinTurns(at / DAY - this.#phase);
    const week = day % 7 >= 5 ? 0.75 : 1;
    const job = this.#kind === 2 && at >= 24 && at < 36 ? 2.5 : 1;
    this.#shared = 0.7 * this.#shared + 0.3 * rng.normal();
    for (let r = 0; r < R; r++) {
      // Both terms are AR(1): stationary variances 0.36 / (1 - 0.64) = 1 and 0.09 / (1 - 0.49) = 0.176.
      this.#own[r] = 0.8 * this.#own[r]! + 0.6 * rng.normal();
      const noise = this.#noise * (r === MEMORY ? 0.2 : 1);
      const deviation = noise * 0.7 * Math.sqrt(1 + 0.176);
      const median = this.#base[r]! * (r === MEMORY ? 1 + 0.15 * (season - 1) : season * week * job);
      this.median[r] = median;
      this.usage[r] = median * exp(noise * 0.7 * (this.#own[r]! + this.#shared));
      this.upper[r] = median * exp(normalQuantile(0.99) * deviation);
      this.lower[r] = median * exp(normalQuantile(0.01) * deviation);
    }
  }
}

export interface Injection {
  readonly name: string;
  /** Resources an event on which counts as finding it. */
  readonly resources: readonly number[];
  readonly ticks: number;
  /** Changes usage in place; i counts the ticks of the anomaly from 0. */
  apply(usage: Float64Array, i: number, load: CalmLoad): void;
}

/** What goes wrong with VMs, as they show it in usage. */
export const INJECTIONS: readonly Injection[] = [
  {
    name: 'leak',
    resources: [MEMORY],
    ticks: 144,
    apply: (usage, i) => {
      usage[MEMORY]! *= 1 + (0.8 * (i + 1)) / 144;
    },
  },
  {
    name: 'runaway loop',
    resources: [CPU],
    ticks: 36,
    apply: (usage, _, load) => {
      usage[CPU] = Math.max(usage[CPU]!, 4 * load.base(CPU));
    },
  },
  {
    name: 'crypto-miner',
    resources: [CPU],
    ticks: 144,
    apply: (usage, _, load) => {
      usage[CPU]! += 2 * load.base(CPU);
      usage[NETWORK]! *= 1.05;
    },
  },
  {
    name: 'noisy neighbour',
    resources: [DISK_IO, NETWORK],
    ticks: 24,
    apply: (usage) => {
      usage[DISK_IO]! *= 5;
      usage[NETWORK]! *= 3;
    },
  },
  {
    name: 'traffic flood',
    resources: [NETWORK],
    ticks: 3,
    apply: (usage) => {
      usage[NETWORK]! *= 14;
    },
  },
  {
    name: 'stuck at zero',
    resources: [CPU, DISK_IO, NETWORK],
    ticks: 24,
    apply: (usage) => {
      usage[CPU] = 0;
      usage[DISK_IO] = 0;
      usage[NETWORK] = 0;
    },
  },
];
