import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';

describe('durations', () => {
  it.each([
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['0.5d', 43_200_000],
    ['2w', 14 * 86_400_000],
    ['250ms', 250],
    ['1s250ms', 1250],
    ['-3h', -10_800_000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text) + 0).toBe(ms);
  });

  it.each(['', '5', 'm', '5 m', '5min', '1h-30m', '1e3s', '.5h', '5m '])(
    'refuses "%s" and says where',
    (text) => {
      expect(() => parseDuration(text, 'tick')).toThrow(ForesizeError);
      expect(() => parseDuration(text, 'tick')).toThrow(/DURATION_INVALID.*\(tick\)[\s\S]*remedy/);
    },
  );

  it('formats shortly', () => {
    expect([300_000, 5_400_000, 604_800_000, 0, -1250].map(formatDuration)).toEqual([
      '5m',
      '1h30m',
      '7d',
      '0s',
      '-1s250ms',
    ]);
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => {
        expect(parseDuration(formatDuration(ms)) + 0).toBe(ms + 0);
      }),
    );
  });
});
