import { describe, expect, it } from 'vitest';
import {
  BalloonFreshness,
  floorKib,
  isFresh,
  STALE_MS,
  scarcity,
  workingSetKib,
} from '../../../live/libvirt/balloon.ts';

const balloon = (lastUpdate: number, usable = 100_000, current = 262_144) => ({
  current,
  usable,
  lastUpdate,
});

describe('the working set', () => {
  it('is what the guest has less what it could hand out', () => {
    expect(workingSetKib(balloon(1, 191_404))).toBe(262_144 - 191_404);
  });

  it('keeps a reserve under it: 16 MiB for a small guest, a sixteenth for a large one', () => {
    // 70740 KiB in use: a sixteenth is 4421 KiB, less than 16384.
    expect(floorKib(balloon(1, 191_404))).toBe(70_740 + 16_384);
    // 4 GiB less 1 GiB: 3145728 KiB in use, a sixteenth of it is 196608.
    expect(floorKib(balloon(1, 1_048_576, 4_194_304))).toBe(3_145_728 + 196_608);
  });

  it('is scarce below 5 %: half of that left is half as bad as it can be', () => {
    expect(scarcity(balloon(1, 200_000))).toBe(0);
    expect(scarcity(balloon(1, 262_144 * 0.025))).toBeCloseTo(0.5, 12);
    expect(scarcity(balloon(1, 0))).toBe(1);
  });
});

describe('a report is fresh', () => {
  it('by our clock, either way', () => {
    expect(isFresh(balloon(1000), 1_000_000 + STALE_MS)).toBe(true);
    expect(isFresh(balloon(1000), 1_000_001 + STALE_MS)).toBe(false);
    expect(isFresh(balloon(1000, Number.NaN), 1_000_000)).toBe(false);
  });

  it('while it changes, whatever the clock of its host says', () => {
    const freshness = new BalloonFreshness();
    // An hour behind: the first cannot be told from an old one.
    expect(freshness.observe(balloon(400), 4_000_000)).toBe(false);
    expect(freshness.observe(balloon(401), 4_001_000)).toBe(true);
    expect(freshness.observe(balloon(401), 4_001_000 + STALE_MS)).toBe(true);
    expect(freshness.observe(balloon(401), 4_001_001 + STALE_MS)).toBe(false);
    expect(freshness.observe(balloon(402), 4_100_000)).toBe(true);
  });

  it('never without a report', () => {
    const freshness = new BalloonFreshness();
    expect(freshness.observe(balloon(0, Number.NaN), 1_000_000)).toBe(false);
    expect(freshness.observe(balloon(0, Number.NaN), 1_001_000)).toBe(false);
  });
});
