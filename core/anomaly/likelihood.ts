import { log } from '../math.ts';
import { grown } from '../model.ts';

/** Classes of a histogram, four to an octave: class 0 holds 0, class k the numbers from 2^((k - ZERO) / 4) up. */
const CLASSES = 96;
const ZERO = 32;
const QUARTERS = [1, Math.sqrt(Math.SQRT2), Math.SQRT2, Math.SQRT2 * Math.sqrt(Math.SQRT2)] as const;
/** Mantissa bits of the quarters above 1, in 32-bit floats. */
const [QUARTER, HALF, THREE_QUARTERS] = QUARTERS.slice(1).map(mantissa) as [number, number, number];
/** Upper edge of each class. */
const EDGE = Float64Array.from({ length: CLASSES }, (_, k) =>
  k === 0 ? 0 : QUARTERS[(k + 1) % 4]! * 2 ** Math.floor((k + 1 - ZERO) / 4),
);
const LN_CLASS = Math.LN2 / 4;
const LN10 = Math.LN10;
/** Numbers to see before any is called unlikely. */
const LEARN = 50;
/** A histogram that holds as many is halved: its classes are 16 bits wide, and the far past should fade. */
const FULL = 60_000;

/**
 * The tail probability of a number among all those its series has shown, as a surprise: -log10 of the share
 * that was as large, 3 for one in a thousand. This is the p-value of conformal prediction (Vovk, Gammerman
 * and Shafer 2005), so it holds whatever the distribution is: a forecast whose quantiles are off, or a
 * series with heavy tails, is surprising no more often than another. Beyond the largest number seen the
 * surprise grows by half the logarithm of the ratio to it.
 *
 * Numbers are kept as a histogram over a logarithmic scale, one row a series.
 */
export class TailLikelihood {
  #count = new Uint16Array(0);
  #total = new Uint16Array(0);
  /** Highest class in use. */
  #top = new Uint8Array(0);

  grow(rows: number): void {
    this.#count = grown(this.#count, rows * CLASSES);
    this.#total = grown(this.#total, rows);
    this.#top = grown(this.#top, rows);
  }

  reset(row: number): void {
    this.#count.fill(0, row * CLASSES, (row + 1) * CLASSES);
    this.#total[row] = 0;
    this.#top[row] = 0;
  }

  /** Numbers held. */
  count(row: number): number {
    return this.#total[row]!;
  }

  /** The number that a share of at most `tail` of those seen exceeds (to within a class); 0 before any. */
  quantile(row: number, tail: number): number {
    const first = row * CLASSES;
    const allowed = tail * this.#total[row]!;
    let above = 0;
    let k = this.#top[row]!;
    for (; k > 0; k--) {
      above += this.#count[first + k]!;
      if (above > allowed) break;
    }
    return k === 0 ? 0 : EDGE[k]!;
  }

  /**
   * Surprise of a number, >= 0, among those before it, >= 0.
   * @param learn whether to take it in
   */
  step(row: number, number: number, learn = true): number {
    const counts = this.#count;
    const first = row * CLASSES;
    const total = this.#total[row]!;
    const top = this.#top[row]!;
    const k = classOf(number);
    let surprise = 0;
    if (k > 0 && total >= LEARN) {
      let asLarge = 0;
      for (let i = top; i >= k; i--) asLarge += counts[first + i]!;
      surprise = Math.max(0, -log((asLarge + 0.5) / (total + 1)) / LN10);
      if (k > top) surprise += 0.5 * (k - top) * LN_CLASS;
    }
    if (!learn) return surprise;
    counts[first + k]!++;
    this.#total[row] = total + 1;
    if (k > top) this.#top[row] = k;
    if (total + 1 === FULL) this.#halve(row);
    return surprise;
  }

  #halve(row: number): void {
    let total = 0;
    for (let i = row * CLASSES; i < (row + 1) * CLASSES; i++) {
      // Rounded up: what was seen once stays seen.
      this.#count[i] = (this.#count[i]! + 1) >> 1;
      total += this.#count[i]!;
    }
    this.#total[row] = total;
  }
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The class of a number, read off its exponent and mantissa: a logarithm would cost ten times as much. */
function classOf(number: number): number {
  if (!(number > 0)) return 0;
  float[0] = number;
  const raw = bits[0]!;
  const fraction = raw & 0x7fffff;
  const quarter = fraction < HALF ? (fraction < QUARTER ? 0 : 1) : fraction < THREE_QUARTERS ? 2 : 3;
  const k = 4 * ((raw >>> 23) - 127) + quarter + ZERO;
  return k < 0 ? 0 : k >= CLASSES ? CLASSES - 1 : k;
}

function mantissa(number: number): number {
  return new Uint32Array(new Float32Array([number]).buffer)[0]! & 0x7fffff;
}

/** Weight of the newest error in the smoothed surprise: about 20 ticks count. */
const SMOOTHING = 0.05;

/**
 * The likelihood of the recent errors of a forecast together: their tail surprises smoothed over about 20 ticks, and
 * then the tail surprise of that. Single outliers and lasting misfits are both seen, each against how often the series
 * has had the like (after the anomaly likelihood of Ahmad, Lavin, Purdy and Agha 2017, with conformal tails in place
 * of its Gaussian).
 */
export class SmoothedLikelihood {
  readonly #recent = new TailLikelihood();
  #smoothed = new Float64Array(0);

  grow(rows: number): void {
    this.#recent.grow(rows);
    this.#smoothed = grown(this.#smoothed, rows);
  }

  reset(row: number): void {
    this.#recent.reset(row);
    this.#smoothed[row] = 0;
  }

  /** Takes in the tail surprise of the newest error. */
  step(row: number, surprise: number): number {
    const smoothed = this.#smoothed[row]!;
    const next = smoothed + SMOOTHING * (surprise - smoothed);
    this.#smoothed[row] = next;
    return this.#recent.step(row, next);
  }
}
