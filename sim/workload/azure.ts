import { DAY, HOUR, MINUTE } from '../../core/duration.ts';
import { cosTurns, exp, log, pow } from '../../core/math.ts';
import { Rng } from '../../core/rng.ts';
import type { Batch } from './arrivals.ts';
import type { Size } from './ingredients.ts';

/**
 * The arrival pattern of the Azure trace of 2017 (V1; Cortez et al., "Resource Central", SOSP 2017, CC-BY-4.0) in
 * the form of Bergsma et al. (SOSP 2021): 259,159 VMs in 53,109 batches in 1,000 intervals of 5 minutes. A batch
 * is what one tenant starts in one interval. Fitted, not copied:
 *
 * - batches arrive as a Poisson process (index of dispersion of the counts within an hour: 1.24) whose rate is a
 *   cosine of amplitude 0.40 with its peak at 14.4 h, by least squares over three whole days. The data are too
 *   short for a weekly cycle, so there is none;
 * - a batch has more than s VMs with probability 0.42 s^-0.85. Data and fit at s = 1, 2, 5, 10, 25, 50, 100:
 *   .421 .236 .113 .064 .028 .0143 .0079, and .420 .233 .107 .059 .027 .0151 .0084. A mean of 4.9 VMs;
 * - lifetimes follow the Kaplan-Meier estimate of survival (the trace ends with VMs still running), by
 *   size of batch: small batches, up to 5 VMs, live far longer. Medians 1 h 48 min and 19 min;
 * - VMs of a batch live alike: the intraclass correlation of the log-lifetime is 0.79-0.83 (0.9 x 0.9 here);
 * - sizes by batch; 92 % of the batches are of one size, and here all are.
 *
 * The trace says nothing of lifetimes above 3.5 days: the 2-4 % that reach 2 days are given log-uniform
 * lifetimes up to 30 days, by judgement.
 */
const AMPLITUDE = 0.4;
const PEAK_MS = 14.4 * HOUR;
const MORE_THAN_ONE = 0.42;
const TAIL = 0.85;
/** The largest batch of the data has 587 VMs. */
const LARGEST = 600;
const ALIKE = 0.9;

/** Share of the VMs that live longer than so long. */
type Survival = readonly (readonly [ms: number, share: number])[];
const LONGEST_MS = 30 * DAY;
const SMALL_BATCH = 5;
const SURVIVAL_SMALL: Survival = [
  [MINUTE, 1],
  [5 * MINUTE, 0.909],
  [10 * MINUTE, 0.84],
  [15 * MINUTE, 0.783],
  [30 * MINUTE, 0.659],
  [HOUR, 0.564],
  [2 * HOUR, 0.479],
  [4 * HOUR, 0.4],
  [7 * HOUR, 0.321],
  [10 * HOUR, 0.25],
  [14 * HOUR, 0.168],
  [18 * HOUR, 0.115],
  [DAY, 0.088],
  [2 * DAY, 0.051],
  [LONGEST_MS, 0],
];
const SURVIVAL_LARGE: Survival = [
  [MINUTE, 1],
  [5 * MINUTE, 0.876],
  [10 * MINUTE, 0.742],
  [15 * MINUTE, 0.611],
  [20 * MINUTE, 0.48],
  [25 * MINUTE, 0.381],
  [30 * MINUTE, 0.331],
  [HOUR, 0.208],
  [2 * HOUR, 0.133],
  [4 * HOUR, 0.092],
  [9 * HOUR, 0.063],
  [DAY, 0.033],
  [2 * DAY, 0.026],
  [LONGEST_MS, 0],
];

/** Sizes by their share of the batches; the ten rarest, 0.2 % together, are left out. */
const SIZES: readonly (readonly [share: number, size: Size])[] = [
  [0.581, { cpu: 1, memory: 1792 }],
  [0.224, { cpu: 2, memory: 3584 }],
  [0.081, { cpu: 4, memory: 7168 }],
  [0.053, { cpu: 1, memory: 768 }],
  [0.053, { cpu: 8, memory: 14_336 }],
  [0.008, { cpu: 8, memory: 57_344 }],
];

/**
 * VMs that come and go as Azure's do, thinned to `perDay`: the data have 75,000 a day. In a smaller region there
 * is no batch larger than a twentieth of a day's VMs (or 10); batches are then more, to the same number of VMs.
 */
export function* azureArrivals({ perDay }: { perDay: number }, seed: number): Generator<Batch, void> {
  const rng = new Rng(seed, 'arrivals', 'azure');
  const largest = Math.min(LARGEST, Math.max(10, Math.round(perDay / 20)));
  const betweenMs = (DAY * meanBatch(largest)) / perDay;
  let atMs = -LONGEST_MS;
  for (;;) {
    // Thinning (Lewis and Shedler 1979): candidates at the highest rate, kept by the rate of the hour.
    atMs += rng.exponential(betweenMs / (1 + AMPLITUDE));
    const rate = 1 + AMPLITUDE * cosTurns((atMs - PEAK_MS) / DAY);
    if (rng.uniform() * (1 + AMPLITUDE) >= rate) continue;
    yield drawBatch(atMs, largest, rng);
  }
}

function drawBatch(atMs: number, largest: number, rng: Rng): Batch {
  const count = batchSize(rng.uniform(), largest);
  const size = sizeAt(rng.uniform());
  const survival = count <= SMALL_BATCH ? SURVIVAL_SMALL : SURVIVAL_LARGE;
  const common = lifetimeAt(rng.uniform(), survival);
  const lifetimesMs: number[] = [];
  for (let i = 0; i < count; i++) {
    lifetimesMs.push(rng.uniform() < ALIKE ? common : lifetimeAt(rng.uniform(), survival));
  }
  return { atMs, sizes: lifetimesMs.map(() => size), lifetimesMs };
}

/** Batch size at quantile 1 - u of the fitted distribution, cut off at `largest`. */
export function batchSize(u: number, largest: number): number {
  const beyond = MORE_THAN_ONE * pow(largest, -TAIL);
  const share = beyond + u * (1 - beyond);
  return share >= MORE_THAN_ONE ? 1 : Math.min(largest, Math.ceil(pow(MORE_THAN_ONE / share, 1 / TAIL)));
}

/** Mean of the sum of P(more than s) over s = 0 .. largest - 1. */
export function meanBatch(largest: number): number {
  const beyond = MORE_THAN_ONE * pow(largest, -TAIL);
  let mean = 1;
  for (let s = 1; s < largest; s++) mean += (MORE_THAN_ONE * pow(s, -TAIL) - beyond) / (1 - beyond);
  return mean;
}

/** Lifetime that a share u of the VMs outlives, ms; between the points of the table linear in its logarithm. */
export function lifetimeAt(u: number, survival: Survival): number {
  let i = 1;
  while (i < survival.length - 1 && survival[i]![1] > u) i++;
  const [shorter, more] = survival[i - 1]!;
  const [longer, fewer] = survival[i]!;
  return shorter * exp(((more - u) / (more - fewer)) * log(longer / shorter));
}

function sizeAt(u: number): Size {
  let rest = u;
  for (const [share, size] of SIZES) {
    rest -= share;
    if (rest < 0) return size;
  }
  return SIZES[0]![1];
}

export const AZURE_SURVIVAL = { small: SURVIVAL_SMALL, large: SURVIVAL_LARGE };
