import { HOUR } from '../../core/duration.ts';
import { exp } from '../../core/math.ts';
import { hashString, mix } from '../../core/rng.ts';
import { FlashCrowds } from './flash-crowd.ts';
import type { Grid } from './grid.ts';
import { deviationOf } from './noise.ts';
import type { Population } from './population.ts';
import { fastExp, keyOf, NORMAL, normalOf, tickKey } from './random.ts';
import { Regimes } from './regimes.ts';
import type { Ingredient, Rows, SharedIngredient } from './rows.ts';
import type { PopulationConfig } from './schema.ts';
import { Trends } from './trends.ts';

/** Multiplies the load of every VM by what its pair shares: trends, regimes, flash crowds and shared noise. */
export class Tenants implements Ingredient {
  readonly #rows: Rows;
  readonly #factor: Float64Array;
  readonly #shared: readonly SharedIngredient[];

  constructor(
    population: Population,
    rows: Rows,
    grid: Grid,
    seed: number,
    correlation: PopulationConfig['correlation'],
  ) {
    this.#rows = rows;
    this.#factor = new Float64Array(population.pairs.length);
    this.#shared = [
      new Trends(population, grid),
      new Regimes(population, grid, seed),
      new FlashCrowds(population, grid, seed),
      new SharedNoise(population, grid, seed, correlation),
    ];
  }

  grow(): void {}
  admit(): void {}

  apply(t: number, load: Float64Array): void {
    const factor = this.#factor.fill(1);
    for (const ingredient of this.#shared) ingredient.apply(t, factor);
    const { high, pair } = this.#rows;
    for (let row = 0; row < high; row++) load[row]! *= factor[pair[row]!]!;
  }
}

const STEP = hashString('shared noise');
const START = hashString('shared noise start');
/** Time in which the autocorrelation of shared noise falls to 1/e. */
const PERSISTENCE_MS = 2 * HOUR;

/**
 * The part of the noise that VMs share: one AR(1) factor of unit variance for every application and every user.
 * A VM's noise is sqrt(a) A + sqrt(u) U + sqrt(1 - a - u) own, so that the noise of two VMs has correlation a when
 * they share the application alone, u when they share the user alone and a + u when they share both.
 */
class SharedNoise implements SharedIngredient {
  readonly #byApplication: Factors;
  readonly #byUser: Factors;
  /** Per pair: its application and user, how much either factor moves its logarithm, what keeps the mean at 1. */
  readonly #application: Int32Array;
  readonly #user: Int32Array;
  readonly #ofApplication: Float64Array;
  readonly #ofUser: Float64Array;
  readonly #bias: Float64Array;

  constructor(
    population: Population,
    grid: Grid,
    seed: number,
    { application, user }: PopulationConfig['correlation'],
  ) {
    const { applications, users, pairs } = population;
    this.#application = Int32Array.from(pairs, (pair) => pair.application);
    this.#user = Int32Array.from(pairs, (pair) => pair.user);
    this.#byApplication = new Factors(
      applications.map(({ id }) => keyOf(seed, 'application', id)),
      grid.stepMs,
    );
    this.#byUser = new Factors(
      users.map((id) => keyOf(seed, 'user', id)),
      grid.stepMs,
    );
    const deviation = Float64Array.from(pairs, (p) =>
      deviationOf(applications[p.application]!.ingredients, p),
    );
    this.#ofApplication = deviation.map((s) => s * Math.sqrt(application));
    this.#ofUser = deviation.map((s) => s * Math.sqrt(user));
    this.#bias = deviation.map((s) => 0.5 * s * s * (application + user));
  }

  apply(t: number, factor: Float64Array): void {
    const ofApplication = this.#byApplication.at(t);
    const ofUser = this.#byUser.at(t);
    const application = this.#application;
    const user = this.#user;
    const byApplication = this.#ofApplication;
    const byUser = this.#ofUser;
    const bias = this.#bias;
    for (let p = 0; p < factor.length; p++) {
      const common = byApplication[p]! * ofApplication[application[p]!]!;
      factor[p]! *= fastExp(common + byUser[p]! * ofUser[user[p]!]! - bias[p]!);
    }
  }
}

/** AR(1) processes of unit variance, one a key. */
class Factors {
  readonly #keys: Int32Array;
  readonly #keep: number;
  readonly #x: Float64Array;

  constructor(keys: readonly number[], stepMs: number) {
    this.#keys = Int32Array.from(keys);
    this.#keep = exp(-stepMs / PERSISTENCE_MS);
    this.#x = Float64Array.from(keys, (key) => normalOf(key, START));
  }

  at(t: number): Float64Array {
    const now = tickKey(t, STEP);
    const gain = Math.sqrt(1 - this.#keep * this.#keep);
    const keys = this.#keys;
    const keep = this.#keep;
    const x = this.#x;
    for (let i = 0; i < x.length; i++) x[i] = keep * x[i]! + gain * NORMAL[mix(keys[i]! ^ now) >>> 20]!;
    return x;
  }
}
