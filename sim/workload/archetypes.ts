import type { Ingredients, Size } from './ingredients.ts';

/**
 * Kinds of application. The levels and noise lie in the range of 60 VMs of the Azure trace of 2017 (Cortez et
 * al., SOSP 2017), where the mean CPU is mostly 4-30 %, the noise around the daily profile has a coefficient of
 * variation of 0.1-1.5 and a lag-1 autocorrelation (5 min) of mostly 0.8-0.97. The division of the other
 * resources is by judgement: which of them an archetype leans on, and how fast they follow.
 */
export const ARCHETYPES = {
  /** Serves people: a broad daytime peak, more network than disk. */
  web: {
    sizes: sizes([2, 4], [2, 8], [4, 8], [4, 16]),
    level: 0.19,
    cycle: { amplitude: 0.65, peak: '15h', focus: 0.6, weekend: 0.75 },
    noise: { deviation: 0.16, persistence: '45m' },
    bursts: { every: '9h', lasts: '20m', height: 1.8 },
    flashCrowds: 'none',
    trend: 'none',
    regimes: 'none',
    jobs: 'none',
    memory: { base: 0.42, load: 0.35, lag: '90m', creep: 0.08, period: '10h' },
    diskIo: { idle: 30_000, perCore: 1_500_000, lag: '10m', deviation: 0.35 },
    network: { idle: 40_000, perCore: 9_000_000, lag: '1m', deviation: 0.12 },
  },
  /** Follows the web tier, smoother; most of its memory is its cache; disk rather than network. */
  database: {
    sizes: sizes([4, 16], [4, 32], [8, 32]),
    level: 0.23,
    cycle: { amplitude: 0.5, peak: '14h', focus: 0.4, weekend: 0.7 },
    noise: { deviation: 0.12, persistence: '1h30m' },
    bursts: { every: '16h', lasts: '35m', height: 1.7 },
    flashCrowds: 'none',
    trend: 'none',
    regimes: 'none',
    jobs: { every: '1d', at: '3h', jitter: '10m', lasts: '25m', deviation: 0.15, cores: 0.3, deadline: '3h' },
    memory: { base: 0.7, load: 0.15, lag: '6h', creep: 0.05, period: '7d' },
    diskIo: { idle: 400_000, perCore: 14_000_000, lag: '6m', deviation: 0.3 },
    network: { idle: 60_000, perCore: 4_000_000, lag: '1m', deviation: 0.15 },
  },
  /** An in-memory cache: little CPU, nearly all memory, much network. */
  cache: {
    sizes: sizes([2, 16], [4, 32]),
    level: 0.12,
    cycle: { amplitude: 0.6, peak: '15h', focus: 0.5, weekend: 0.75 },
    noise: { deviation: 0.1, persistence: '30m' },
    bursts: 'none',
    flashCrowds: 'none',
    trend: 'none',
    regimes: 'none',
    jobs: 'none',
    memory: { base: 0.74, load: 0.25, lag: '5h', creep: 0.06, period: '3d' },
    diskIo: { idle: 8_000, perCore: 200_000, lag: '10m', deviation: 0.4 },
    network: { idle: 80_000, perCore: 40_000_000, lag: '1m', deviation: 0.1 },
  },
  /** Idle, then flat out while the night's jobs run. */
  batch: {
    sizes: sizes([4, 8], [4, 16], [8, 16]),
    level: 0.03,
    cycle: 'none',
    noise: { deviation: 0.25, persistence: '20m' },
    bursts: 'none',
    flashCrowds: 'none',
    trend: 'none',
    regimes: 'none',
    jobs: { every: '1d', at: '1h', jitter: '2h', lasts: '1h30m', deviation: 0.4, cores: 0.9, deadline: '6h' },
    memory: { base: 0.15, load: 0.55, lag: '10m', creep: 0.04, period: '1d' },
    diskIo: { idle: 20_000, perCore: 12_000_000, lag: '5m', deviation: 0.25 },
    network: { idle: 10_000, perCore: 2_000_000, lag: '5m', deviation: 0.25 },
  },
  /** People ask questions in office hours, each a burst of CPU, memory and disk. */
  analytics: {
    sizes: sizes([8, 32], [8, 64]),
    level: 0.09,
    cycle: { amplitude: 1.2, peak: '13h', focus: 1.6, weekend: 0.25 },
    noise: { deviation: 0.35, persistence: '30m' },
    bursts: { every: '4h', lasts: '35m', height: 3.5 },
    flashCrowds: 'none',
    trend: 'none',
    regimes: 'none',
    jobs: { every: '1d', at: '5h', jitter: '30m', lasts: '40m', deviation: 0.3, cores: 0.7, deadline: '3h' },
    memory: { base: 0.25, load: 0.5, lag: '25m', creep: 0.1, period: '2d' },
    diskIo: { idle: 50_000, perCore: 18_000_000, lag: '4m', deviation: 0.35 },
    network: { idle: 20_000, perCore: 3_000_000, lag: '4m', deviation: 0.3 },
  },
  /** A developer's machine: nearly idle but for builds and tests, and empty at the weekend. */
  dev: {
    sizes: sizes([1, 2], [2, 4], [2, 8]),
    level: 0.07,
    cycle: { amplitude: 1.5, peak: '13h30m', focus: 2, weekend: 0.15 },
    noise: { deviation: 0.35, persistence: '25m' },
    bursts: { every: '2h30m', lasts: '12m', height: 4.5 },
    flashCrowds: 'none',
    trend: 'none',
    regimes: 'none',
    jobs: 'none',
    memory: { base: 0.35, load: 0.4, lag: '45m', creep: 0.15, period: '1d' },
    diskIo: { idle: 15_000, perCore: 5_000_000, lag: '5m', deviation: 0.5 },
    network: { idle: 8_000, perCore: 1_500_000, lag: '2m', deviation: 0.6 },
  },
} as const satisfies Record<string, Ingredients>;

export type Archetype = keyof typeof ARCHETYPES;
export const ARCHETYPE_NAMES = Object.keys(ARCHETYPES) as [Archetype, ...Archetype[]];

/** Sizes from pairs of cores and GiB. */
function sizes(...list: readonly [number, number][]): Size[] {
  return list.map(([cpu, gib]) => ({ cpu, memory: gib * 1024 }));
}
