import { ForesizeError } from './errors.ts';

/** Units of a duration, largest first, ms. A week is seven days and a day 24 hours: no calendar here. */
const UNITS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

export const SECOND = UNITS.s;
export const MINUTE = UNITS.m;
export const HOUR = UNITS.h;
export const DAY = UNITS.d;
export const WEEK = UNITS.w;

/** `5m`, `1h30m`, `0.5d`, `-3h`: what `parseDuration` takes. A source for JSON Schema's `pattern`. */
export const DURATION = /^-?(\d+(\.\d+)?(ms|w|d|h|m|s))+$/;

/**
 * A duration in ms from text such as `5m`, `1h30m` or `-3h` (units w, d, h, m, s, ms).
 * @param where place to name in the error, such as `workload.arrivals.lifetime`
 * @throws ForesizeError DURATION_INVALID
 */
export function parseDuration(text: string, where?: string): number {
  if (!DURATION.test(text)) {
    throw new ForesizeError({
      code: 'DURATION_INVALID',
      what: `"${text}" is not a duration`,
      where,
      remedy: 'write a number and a unit (w, d, h, m, s or ms), for example 5m, 1h30m or 7d',
    });
  }
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|w|d|h|m|s)/g)) {
    ms += Number(number) * UNITS[unit as keyof typeof UNITS];
  }
  return text.startsWith('-') ? -ms : ms;
}

/** The shortest text that `parseDuration` reads back as `ms`, rounded to a whole ms: `1h30m`, `0s`. */
export function formatDuration(ms: number): string {
  let rest = Math.round(Math.abs(ms));
  if (rest === 0) return '0s';
  let text = ms < 0 ? '-' : '';
  for (const [unit, size] of Object.entries(UNITS)) {
    // `7d` reads better than `1w`, and `10d` than `1w3d`: weeks are for input only.
    if (unit === 'w') continue;
    const n = Math.floor(rest / size);
    if (n > 0) text += `${n}${unit}`;
    rest -= n * size;
  }
  return text;
}
