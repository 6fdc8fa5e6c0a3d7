import { exp2 } from '../math.ts';
import { grown } from '../model.ts';

/** Rates of the near and the long mean absolute error: half-lives of 12 ticks and a week. */
const NEAR = 1 - exp2(-1 / 12);
const LONG = 1 - exp2(-1 / 2016);
/** Share of the long error in the near one: after a calm, a VM is not trusted to stay calm. */
const LONG_SHARE = 0.03;
/** Errors by which a VM's own spread outweighs that of its pair, and after how many the pair is not asked. */
const PRIOR_WEIGHT = 12;
const PRIOR_UNTIL = 96;
/** Error of a forecast, as a share of it, before any was seen. */
const UNKNOWN = 0.1;

/**
 * How far off forecasts are, locally: the geometric mean of how large a VM's errors are of late and how large they are at
 * all. `i` indexes what is spread separately for each VM (`own`), `k` what a new VM starts from (`shared`).
 */
export class Spreads {
  #near = new Float64Array(0);
  #long = new Float64Array(0);
  #count = new Int32Array(0);
  /** Sums of |error| and of forecasts, two by two. */
  #shared = new Float64Array(0);

  grow(own: number): void {
    this.#near = grown(this.#near, own);
    this.#long = grown(this.#long, own);
    this.#count = grown(this.#count, own);
  }

  growShared(shared: number): void {
    this.#shared = grown(this.#shared, shared * 2);
  }

  clear(from: number, to: number): void {
    this.#near.fill(0, from, to);
    this.#long.fill(0, from, to);
    this.#count.fill(0, from, to);
  }

  add(i: number, k: number, error: number, forecast: number): void {
    const size = Math.abs(error);
    const count = ++this.#count[i]!;
    this.#near[i]! += Math.max(NEAR, 1 / count) * (size - this.#near[i]!);
    this.#long[i]! += Math.max(LONG, 1 / count) * (size - this.#long[i]!);
    this.#shared[2 * k]! += size;
    this.#shared[2 * k + 1]! += forecast;
  }

  at(i: number, k: number, forecast: number): number {
    let near = this.#near[i]!;
    let long = this.#long[i]!;
    const n = this.#count[i]!;
    if (n < PRIOR_UNTIL) {
      const total = this.#shared[2 * k + 1]!;
      const prior = Math.abs(forecast) * (total > 0 ? this.#shared[2 * k]! / total : UNKNOWN);
      near = (n * near + PRIOR_WEIGHT * prior) / (n + PRIOR_WEIGHT);
      long = (n * long + PRIOR_WEIGHT * prior) / (n + PRIOR_WEIGHT);
    }
    return Math.sqrt((near + LONG_SHARE * long) * long);
  }

  /** The columns that hold what is known of VMs, from..to of `i`, and of their pairs, from..to of `k`. */
  columns(from: number, to: number): (Float64Array | Int32Array)[] {
    return [this.#near.subarray(from, to), this.#long.subarray(from, to), this.#count.subarray(from, to)];
  }

  sharedColumns(from: number, to: number): Float64Array[] {
    return [this.#shared.subarray(from * 2, to * 2)];
  }
}
