import { HOUR } from '../duration.ts';
import { exp } from '../math.ts';
import type { Prices, SpotPrices } from '../prices.ts';
import { Rng } from '../rng.ts';

/** 1 January 1970 was a Thursday: hours from Monday 0:00 to the epoch. */
const EPOCH_HOUR_OF_WEEK = 72;

/** Multiple of the list price at a time; 1 without prices by hour. @param at ms since the Unix epoch */
export function hourFactor(prices: Prices, at: number): number {
  const list = prices.byHour;
  if (!list) return 1;
  const hour = Math.floor(at / HOUR);
  return list[list.length === 24 ? hour % 24 : (hour + EPOCH_HOUR_OF_WEEK) % 168]!;
}

/** Mean multiple over the hours of a day (UTC): what each hour of the day costs. */
export function dailyFactors(prices: Prices): number[] {
  const list = prices.byHour;
  if (!list) return new Array<number>(24).fill(1);
  const days = list.length / 24;
  return Array.from({ length: 24 }, (_, hour) => {
    let sum = 0;
    for (let day = 0; day < days; day++) sum += list[day * 24 + hour]!;
    return sum / days;
  });
}

/**
 * The spot price by hour, as a share of the list price: recorded, or made up. A made-up one is log-normal and
 * reverts to its mean (an Ornstein-Uhlenbeck process of the logarithm, sampled by the hour), and is never above the
 * list price. It depends on the seed and the hours since `epochMs` only.
 */
export class SpotPrice {
  readonly #params: SpotPrices;
  readonly #epochMs: number;
  readonly #rng: Rng;
  readonly #made: number[] = [];
  #x: number;

  constructor(params: SpotPrices, seed: number, epochMs: number) {
    this.#params = params;
    this.#epochMs = epochMs;
    this.#rng = new Rng(seed, 'spot', 'price');
    this.#x = params.volatility * this.#rng.normal();
  }

  at(at: number): number {
    const hour = Math.max(0, Math.floor((at - this.#epochMs) / HOUR));
    const { history, price, volatility, reversionHours } = this.#params;
    if (history) return history[hour % history.length]!;
    const keep = exp(-1 / reversionHours);
    while (this.#made.length <= hour) {
      this.#made.push(Math.min(1, price * exp(this.#x - 0.5 * volatility * volatility)));
      this.#x = keep * this.#x + volatility * Math.sqrt(1 - keep * keep) * this.#rng.normal();
    }
    return this.#made[hour]!;
  }
}
