import initProphet, { Prophet } from '@bsull/augurs/prophet';
import { ProphetRidge } from '../../core/forecast/prophet-ridge/fit.ts';
import { Rng } from '../../core/rng.ts';
import { augursRuntime } from '../../sim/augurs.ts';
import { type BenchRow, bestCpuSeconds } from './row.ts';

const DAY = 86_400_000;
const STEP = 300_000;
const SAMPLES = 4032;
const SERIES = 20;
const FROM = Date.UTC(2024, 0, 1);

/** Prophet's defaults. */
const OPTIONS = {
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
  stepMs: STEP,
};

/** Two weeks of 5-minute samples: days, weeks, a trend that turns once, and noise. */
function series(seed: number): Float64Array {
  const rng = new Rng(seed, 'bench');
  return Float64Array.from({ length: SAMPLES }, (_, i) => {
    const days = (i * STEP) / DAY;
    const trend = 20 + 0.3 * days - 0.7 * Math.max(0, days - 6);
    const season = 4 * Math.sin(2 * Math.PI * days) + 2 * Math.cos((2 * Math.PI * days) / 7);
    return trend + season + rng.normal();
  });
}

/** Fits a second of the direct solution, beside Prophet's own optimiser on the same 4,032 points and priors. */
export async function prophetBench(): Promise<BenchRow[]> {
  await initProphet({ module_or_path: await augursRuntime.wasm('prophet') });
  const optimizer = await augursRuntime.optimizer();
  const all = Array.from({ length: SERIES }, (_, k) => series(k + 1));
  const ds = Array.from({ length: SAMPLES }, (_, i) => (FROM + i * STEP) / 1000);
  const on = { type: 'manual', enabled: true } as const;
  const real = (): void => {
    const model = new Prophet({
      optimizer,
      yearlySeasonality: { type: 'manual', enabled: false },
      weeklySeasonality: on,
      dailySeasonality: on,
      uncertaintySamples: 0,
    });
    model.fit({ ds, y: Array.from(all[0]!) });
    model.free();
  };
  const reference = 1 / (await bestCpuSeconds(3, real));
  const fitAll = (ridge: ProphetRidge, list: readonly Float64Array[]): void => {
    for (const values of list) {
      const fit = ridge.fit(values, FROM);
      if ('failed' in fit) throw new Error(fit.failed);
    }
  };
  // A fleet shares one model, and with it the design matrix; the first fit makes it.
  const shared = new ProphetRidge(OPTIONS);
  const fleet = await bestCpuSeconds(3, () => fitAll(shared, all));
  const first = await bestCpuSeconds(10, () => fitAll(new ProphetRidge(OPTIONS), all.slice(0, 1)));
  const row = { reference, unit: 'fits/s', against: 'Prophet itself (augurs)' };
  return [
    { ...row, name: 'prophet-ridge, 4,032 points, in a fleet', value: SERIES / fleet },
    { ...row, name: 'prophet-ridge, 4,032 points, the first fit', value: 1 / first },
  ];
}
