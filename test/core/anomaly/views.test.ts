import { describe, expect, it } from 'vitest';
import { Band } from '../../../core/anomaly/band.ts';
import { LevelShift } from '../../../core/anomaly/level-shift.ts';
import { DayProfile, hourOf } from '../../../core/anomaly/profile.ts';
import { Roughness } from '../../../core/anomaly/roughness.ts';

describe('LevelShift', () => {
  it('is the recent mean less the former one, each a plain mean at first', () => {
    const level = new LevelShift();
    level.grow(1);
    expect(level.step(0, 10, 0)).toBe(0);
    // Recent: 10 + (20 - 10) / 2 = 15, against the 10 of before; then both are 15.
    expect(level.step(0, 20, 1)).toBe(5);
    // Recent: 15 + (30 - 15) / 3 = 20.
    expect(level.step(0, 30, 2)).toBe(5);
    expect(level.recent(0)).toBe(20);
  });

  it('settles after a shift: 1 - (15/16)^16 of it are in the recent mean after 16 ticks', () => {
    const level = new LevelShift();
    level.grow(1);
    for (let t = 0; t < 2000; t++) level.step(0, 1, t);
    let shift = 0;
    for (let t = 2000; t < 2016; t++) shift = level.step(0, 2, t);
    // The former mean has taken in 15 of the ticks: 1 - (255/256)^15.
    expect(shift).toBeCloseTo(1 - (15 / 16) ** 16 - (1 - (255 / 256) ** 15), 9);
  });
});

describe('Roughness', () => {
  it('gives each step, and the log ratio of recent to former step sizes', () => {
    const roughness = new Roughness();
    roughness.grow(1);
    expect([5, 7, 4].map((x, seen) => roughness.step(0, x, seen))).toEqual([0, 2, -3]);
    // Both means are (2 + 3) / 2: the ratio is 1.01 to 1.01.
    expect(roughness.ratio(0, 1e-9)).toBeCloseTo(0, 12);
  });

  it('falls far below 0 when a value is stuck', () => {
    const roughness = new Roughness();
    roughness.grow(1);
    for (let t = 0; t < 3000; t++) roughness.step(0, t % 2, t);
    for (let t = 3000; t < 3200; t++) roughness.step(0, 1, t);
    // Recent: about (31/32)^199 = 0.002 of 1; former: about (1023/1024)^199 = 0.82.
    const former = 0.823;
    expect(roughness.ratio(0, 1e-9)).toBeCloseTo(Math.log((0.0018 + 0.01 * former) / (1.01 * former)), 1);
  });
});

describe('DayProfile', () => {
  it('expects the mean of the hour, or of all for an hour not seen', () => {
    const profile = new DayProfile();
    profile.grow(1);
    for (const [seen, x] of [10, 20, 30].entries()) profile.learn(0, 3, x, seen);
    profile.learn(0, 4, 100, 3);
    expect(profile.expected(0, 3)).toBe(20);
    expect(profile.expected(0, 4)).toBe(100);
    expect(profile.expected(0, 5)).toBe(40);
    profile.shift(0, 5);
    expect(profile.expected(0, 3)).toBe(25);
  });

  it('reads the hour in UTC, before the epoch too', () => {
    expect(hourOf(Date.UTC(2024, 1, 29, 23, 59, 59))).toBe(23);
    expect(hourOf(-1)).toBe(23);
    expect(hourOf(0)).toBe(0);
  });
});

describe('Band', () => {
  it('holds 99 % of the errors, and does not widen at once for larger ones', () => {
    const band = new Band();
    band.grow(1);
    for (let i = 0; i < 1000; i++) band.step(0, 1, 1e-9, true);
    // All errors are one usual size: the edge of the class of 1.
    expect(band.width(0)).toBeCloseTo(2 ** 0.25, 6);
    // Five of a thousand are still within the 1 % outside; the usual size grows by 0.2 % each, clipped at 3.
    for (let i = 0; i < 5; i++) band.step(0, 100, 1e-9, true);
    expect(band.width(0)).toBeCloseTo(2 ** 0.25 * 1.002 ** 5, 3);
  });
});
