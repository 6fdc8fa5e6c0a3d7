import type { Resource } from '../model.ts';

/** Whose behaviour a baseline describes. */
export const LEVELS = ['pair', 'application', 'user', 'global'] as const;
export type Level = (typeof LEVELS)[number];

export const BASELINE_QUANTILES = ['0.5', '0.9', '0.95', '0.99'] as const;

/** What is usual for one resource, per VM, in its unit. */
export interface ResourceBaseline {
  /** Mean usage. */
  readonly mean: number;
  /** Coefficient of variation of hourly means, over time and between VMs; 0 where the mean is 0. */
  readonly cv: number;
  /** Quantiles of the largest sample of an hour: what to allow for over the next hour. */
  readonly quantiles: Readonly<Record<(typeof BASELINE_QUANTILES)[number], number>>;
  /** Hour of the day (UTC) to mean usage in it, as a ratio to the mean over the day; 1 where nothing was seen. */
  readonly daily: readonly number[];
  /** Hour of the week from Monday 0:00 UTC, likewise; the daily ratio where nothing was seen. */
  readonly weekly: readonly number[];
  /** Change of the daily mean, units a day; 0 before there are two days. */
  readonly trendPerDay: number;
  /** Mean size the owners requested, to put usage in proportion. */
  readonly requested: number;
  /** VM-hours observed. */
  readonly samples: number;
}

export interface Baseline {
  readonly level: Level;
  readonly id: string;
  /** Hours in which any VM was observed. */
  readonly hours: number;
  readonly resources: Readonly<Record<Resource, ResourceBaseline>>;
  /** Pearson correlation of hourly means between resources, in the order of RESOURCES. */
  readonly correlation: readonly (readonly number[])[];
}
