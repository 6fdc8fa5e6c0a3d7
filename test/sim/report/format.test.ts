import { expect, test } from 'vitest';
import {
  formatDuration,
  formatInterval,
  formatMoney,
  formatNumber,
  formatP,
  formatPercent,
  formatQuantity,
  formatShare,
  formatSigned,
} from '../../../sim/report/format.ts';

test('formatNumber: three significant digits, grouped from a thousand, powers of ten when tiny', () => {
  const cases: [number | null, string][] = [
    [0, '0'],
    [1.2345, '1.23'],
    [-12.345, '−12.3'],
    [0.012345, '0.0123'],
    [999.4, '999'],
    [999.7, '1,000'],
    [1234567.8, '1,234,568'],
    [0.00001234, '1.2×10⁻⁵'],
    [-0.00001234, '−1.2×10⁻⁵'],
    [null, '–'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '∞'],
  ];
  for (const [x, text] of cases) expect(formatNumber(x)).toBe(text);
  expect(formatNumber(1.26, 2)).toBe('1.3');
});

test('formatShare and formatPercent: a tenth of a per cent, finer only near 0', () => {
  expect([0, 0.000004, 0.00003, 0.0004, 0.0123, 0.5, 1, 12.5].map(formatShare)).toEqual([
    '0',
    '≈ 0',
    '0.003',
    '0.04',
    '1.2',
    '50.0',
    '100',
    '1,250',
  ]);
  expect(formatPercent(-0.341)).toBe('−34.1 %');
  expect(formatPercent(null)).toBe('–');
});

test('formatMoney: symbol in front, sign before it, code behind where there is no symbol', () => {
  expect(formatMoney(-1.234, 'USD')).toBe('−$1.23');
  expect(formatMoney(0.5, 'EUR')).toBe('€0.500');
  expect(formatMoney(5.6, 'USD')).toBe('$5.60');
  expect(formatMoney(0.99996, 'USD')).toBe('$1.00');
  expect(formatMoney(0.00005, 'USD')).toBe('$5.0×10⁻⁵');
  expect(formatMoney(0, 'USD')).toBe('$0');
  expect(formatMoney(2000, 'CHF')).toBe('2,000 CHF');
  expect(formatMoney(null, 'USD')).toBe('–');
});

test('formatQuantity: decimal bytes, binary memory', () => {
  expect(formatQuantity(12_345_678, 'bytes/s')).toBe('12.3 MB/s');
  expect(formatQuantity(999.9, 'bytes')).toBe('1 kB');
  expect(formatQuantity(1536, 'MiB')).toBe('1.5 GiB');
  expect(formatQuantity(5e9, 'MiB-s')).toBe('4.66 PiB-s');
  expect(formatQuantity(2.345, 'cores')).toBe('2.35 cores');
  expect(formatQuantity(7200, 'core-s')).toBe('2 core-h');
});

test('formatDuration', () => {
  expect([0, 90, 600, 12_600, 200_000].map(formatDuration)).toEqual([
    '0 s',
    '90 s',
    '10 min',
    '3.5 h',
    '2.31 d',
  ]);
});

test('formatSigned, formatInterval, formatP', () => {
  expect([1.5, -1.5, 0].map((x) => formatSigned(x))).toEqual(['+1.5', '−1.5', '0']);
  expect([1e-7, -1e-7].map((x) => formatSigned(x, formatShare))).toEqual(['≈ 0', '≈ 0']);
  expect(formatInterval(-0.2, 0.1)).toBe('[−0.2, +0.1]');
  expect(formatInterval(null, 1)).toBe('–');
  expect([0, 0.0123, 0.25, 1].map(formatP)).toEqual(['p < 0.001', 'p = 0.012', 'p = 0.25', 'p = 1']);
});
