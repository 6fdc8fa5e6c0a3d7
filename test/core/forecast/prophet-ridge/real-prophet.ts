import initProphet, { Prophet, type ProphetStanData } from '@bsull/augurs/prophet';
import type { ProphetRidgeParameters } from '../../../../core/forecast/prophet-ridge/parameters.ts';
import { augursRuntime } from '../../../../sim/augurs.ts';

export const DAY = 86_400_000;

export const PROPHET_DEFAULTS = {
  changepoints: 25,
  changepointRange: 0.8,
  seasonalities: [
    { name: 'daily', periodMs: DAY, order: 4 },
    { name: 'weekly', periodMs: 7 * DAY, order: 3 },
  ],
  changepointScale: 0.05,
  seasonalityScale: 10,
  holidayScale: 10,
  holidays: [],
} as const;

interface StanParameters {
  readonly k: number;
  readonly m: number;
  readonly delta: ArrayLike<number>;
  readonly beta: ArrayLike<number>;
  readonly sigmaObs: number;
}

export interface RealFit {
  /** Forecasts at the asked times. */
  readonly point: readonly number[];
  readonly upper: readonly number[];
  /** The negative log posterior at the optimum that Stan's L-BFGS reports. */
  readonly objective: number;
}

/** Fits the real Prophet through augurs, and reads what its optimiser found. */
export async function fitProphet(
  times: readonly number[],
  values: ArrayLike<number>,
  ask: readonly number[],
  holidays?: { name: string; occurrences: readonly (readonly [number, number])[] },
): Promise<RealFit> {
  await initProphet({ module_or_path: augursRuntime.wasm('prophet') });
  const stan = await augursRuntime.optimizer();
  let data: ProphetStanData | undefined;
  let found: StanParameters | undefined;
  const on = { type: 'manual', enabled: true } as const;
  const model = new Prophet({
    optimizer: {
      optimize(init, json, options) {
        const output = stan.optimize(init, json, options);
        data = JSON.parse(json);
        found = output.params as unknown as StanParameters;
        return output;
      },
    },
    yearlySeasonality: { type: 'manual', enabled: false },
    weeklySeasonality: on,
    dailySeasonality: on,
    intervalWidth: 0.8,
    uncertaintySamples: 1000,
    ...(holidays && {
      holidays: new Map([
        [
          holidays.name,
          {
            occurrences: holidays.occurrences.map(([start, end]) => ({
              start: start / 1000,
              end: end / 1000,
            })),
            priorScale: 10,
          },
        ],
      ]),
    }),
  });
  const ds: number[] = [];
  const y: number[] = [];
  for (let i = 0; i < times.length; i++) {
    if (Number.isNaN(values[i]!)) continue;
    ds.push(times[i]! / 1000);
    y.push(values[i]!);
  }
  model.fit({ ds, y });
  const predicted = model.predict({ ds: ask.map((t) => t / 1000) });
  return {
    point: predicted.yhat.point,
    upper: predicted.yhat.intervals!.upper,
    objective: negativeLogPosterior(data!, found!),
  };
}

/** Prophet's Stan model: y ~ N(trend + X beta, sigma), Laplace change points, normal k, m, beta, half-normal sigma. */
function negativeLogPosterior(data: ProphetStanData, p: StanParameters): number {
  const x = data.X as unknown as number[][];
  let rss = 0;
  for (let i = 0; i < data.T; i++) {
    let g = p.m + p.k * data.t[i]!;
    for (let j = 0; j < data.S; j++) g += p.delta[j]! * Math.max(0, data.t[i]! - data.t_change[j]!);
    for (let c = 0; c < data.K; c++) g += p.beta[c]! * x[i]![c]!;
    rss += (data.y[i]! - g) ** 2;
  }
  return posterior(data.T, rss, p.sigmaObs, [p.k, p.m], Array.from(p.delta), Array.from(p.beta));
}

/** The same for our parameters: coefficients of rotated pairs have the same norm. */
export function objectiveOf(
  model: ProphetRidgeParameters,
  values: ArrayLike<number>,
  forecast: (i: number) => number,
): number {
  let rss = 0;
  let n = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) continue;
    rss += ((values[i]! - forecast(i)) / model.scale) ** 2;
    n++;
  }
  const scaled = (v: number): number => v / model.scale;
  return posterior(
    n,
    rss,
    scaled(model.sigma),
    [scaled(model.slope), scaled(model.intercept)],
    model.deltas.map(scaled),
    [...model.seasonalities.flatMap((s) => s.coefficients), ...model.holidays.map((h) => h.effect)].map(
      scaled,
    ),
  );
}

function posterior(
  n: number,
  rss: number,
  sigma: number,
  trend: readonly number[],
  deltas: readonly number[],
  betas: readonly number[],
): number {
  const squares = (v: readonly number[]): number => v.reduce((sum, x) => sum + x * x, 0);
  const absolute = deltas.reduce((sum, d) => sum + Math.abs(d), 0);
  return (
    n * Math.log(sigma) +
    rss / (2 * sigma * sigma) +
    squares(trend) / 50 +
    absolute / 0.05 +
    squares(betas) / 200 +
    2 * sigma * sigma
  );
}
