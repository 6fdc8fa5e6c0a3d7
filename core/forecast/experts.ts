import { exp2 } from '../math.ts';
import { grown } from '../model.ts';

/** Steps at which the experts are compared, and which of them decides for each step. */
export const CHECKED = [1, 2, 4, 9] as const;
const C = CHECKED.length;
const CHECK_OF = Uint8Array.from({ length: 12 }, (_, h) => [0, 1, 2, 2, 2, 2][h] ?? 3);
const RING = 16;
/** Half-life of an expert's errors: 48 ticks. */
const RATE = 1 - exp2(-1 / 48);

/**
 * Point forecasts of several experts combined by how each did lately: weights are the inverse eighth power of recent
 * mean absolute errors (combination by past performance; Bates & Granger 1969, Timmermann 2006). A model that
 * finds itself in a regime it never saw is overruled within hours, by experts too simple to be wrong for long.
 */
export class Experts {
  readonly count: number;
  /** Forecasts that are due, [tick % RING][(i * C + check) * count + expert]; NaN where none. */
  readonly #due: Float32Array[] = Array.from({ length: RING }, () => new Float32Array(0));
  #losses = new Float64Array(0);
  readonly #weights: Float64Array;

  /** @param count number of experts; the first has all the trust while nothing is known */
  constructor(count: number) {
    this.count = count;
    this.#weights = new Float64Array(C * count);
  }

  grow(length: number): void {
    for (let k = 0; k < RING; k++) this.#due[k] = grown(this.#due[k]!, length * C * this.count);
    this.#losses = grown(this.#losses, length * C * this.count);
  }

  clear(i: number): void {
    const per = C * this.count;
    for (const due of this.#due) due.fill(Number.NaN, i * per, (i + 1) * per);
    this.#losses.fill(0, i * per, (i + 1) * per);
  }

  /** Takes note of how far off each expert was at tick `t`. */
  score(i: number, t: number, y: number): void {
    const per = C * this.count;
    const due = this.#due[t & (RING - 1)]!;
    const losses = this.#losses;
    for (let k = i * per; k < (i + 1) * per; k++) {
      const forecast = due[k]!;
      if (Number.isNaN(forecast)) continue;
      losses[k]! += RATE * (Math.abs(y - forecast) - losses[k]!);
      due[k] = Number.NaN;
    }
  }

  /** Prepares the weights of `i` for `combine`. */
  weigh(i: number): void {
    const n = this.count;
    const w = this.#weights;
    for (let c = 0; c < C; c++) {
      const at = (i * C + c) * n;
      const first = this.#losses[at]!;
      let sum = 0;
      for (let e = 0; e < n; e++) {
        const loss = this.#losses[at + e]!;
        // Without errors of its own the first expert needs no help; one that is never wrong gets all the trust.
        const ratio = e === 0 ? 1 : loss > 0 ? first / loss : first > 0 ? 1e9 : 0;
        const square = ratio * ratio;
        const v = square * square * square * square;
        w[c * n + e] = v;
        sum += v;
      }
      for (let e = 0; e < n; e++) w[c * n + e]! /= sum;
    }
  }

  /** Combines the experts' forecasts for h steps after tick `t`, and keeps them to be scored. */
  combine(i: number, t: number, h: number, forecasts: Float64Array): number {
    const n = this.count;
    const c = CHECK_OF[Math.min(h, CHECK_OF.length) - 1]!;
    let sum = 0;
    for (let e = 0; e < n; e++) sum += this.#weights[c * n + e]! * forecasts[e]!;
    if (h === CHECKED[c]) {
      const due = this.#due[(t + h) & (RING - 1)]!;
      const to = (i * C + c) * n;
      for (let e = 0; e < n; e++) due[to + e] = forecasts[e]!;
    }
    return sum;
  }

  /** The columns that hold all that is known of `i`. */
  columns(i: number): (Float64Array | Float32Array)[] {
    const per = C * this.count;
    return [
      this.#losses.subarray(i * per, (i + 1) * per),
      ...this.#due.map((due) => due.subarray(i * per, (i + 1) * per)),
    ];
  }
}
