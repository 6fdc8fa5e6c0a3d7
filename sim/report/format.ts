/** Numbers as every report writes them. Minus is U+2212; a missing value is an en dash. */

export const NONE = '–';

/** Three significant digits by default; whole and grouped from 1,000 on; powers of ten below 0.0001. */
export function formatNumber(x: number | null | undefined, digits = 3): string {
  if (x === null || x === undefined || Number.isNaN(x)) return NONE;
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞';
  if (x === 0) return '0';
  const a = Math.abs(x);
  if (a < 1e-4) return signed(x, scientific(a));
  // 999.7 rounds to 1,000: decide by the rounded value.
  const rounded = Number(a.toPrecision(digits));
  if (rounded >= 1000) return signed(x, grouped(a));
  return signed(x, String(rounded));
}

/** With a sign in front, for differences: '+1.2', '−0.3', '0'. */
export function formatSigned(x: number | null | undefined, format = formatNumber): string {
  const text = format(x);
  return x !== null && x !== undefined && x > 0 && text !== NONE && !/^(≈ )?0\D*$/.test(text)
    ? `+${text}`
    : text;
}

/** A share as per cent without the sign: '12.3', '0.04', '0.003', '≈ 0', '0'. */
export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NONE;
  const percent = Math.abs(share * 100);
  if (percent === 0) return '0';
  if (percent < 0.0005) return '≈ 0';
  if (percent < 0.005) return signed(share, percent.toFixed(3));
  if (percent < 1) return signed(share, percent.toFixed(2));
  if (percent < 100) return signed(share, percent.toFixed(1));
  return signed(share, grouped(percent));
}

/** A share as per cent: '12.3 %'. */
export function formatPercent(share: number | null | undefined): string {
  const text = formatShare(share);
  return text === NONE ? text : `${text} %`;
}

/** The level of an interval: '95 %', '99.5 %'. */
export function formatLevel(level: number): string {
  return `${formatNumber(level * 100)} %`;
}

const SYMBOLS: Readonly<Record<string, string>> = { USD: '$', EUR: '€', GBP: '£' };

/** '$1.20', '−$0.0451', '12.30 CHF': cents from 1 on, three significant digits below. */
export function formatMoney(x: number | null | undefined, currency: string): string {
  if (x === null || x === undefined || !Number.isFinite(x)) return formatNumber(x);
  const a = Math.abs(x);
  const cents = a >= 1e-4 && a < 999.5;
  const text = cents ? (a < 0.9995 ? a.toPrecision(3) : a.toFixed(2)) : formatNumber(a);
  const sign = x < 0 && text !== '0' ? '−' : '';
  const symbol = SYMBOLS[currency];
  return symbol ? `${sign}${symbol}${text}` : `${sign}${text} ${currency}`;
}

/** A quantity of one of the units of core/model.ts or their integrals, scaled: '1.5 GiB', '12.3 MB/s'. */
export function formatQuantity(x: number | null | undefined, unit: string): string {
  if (x === null || x === undefined || !Number.isFinite(x)) return formatNumber(x);
  const bytes = /^bytes(.*)$/.exec(unit);
  if (bytes) return scaled(x, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'], bytes[1]!);
  const mebibytes = /^MiB(.*)$/.exec(unit);
  if (mebibytes) return scaled(x, 1024, ['MiB', 'GiB', 'TiB', 'PiB'], mebibytes[1]!);
  if (unit === 'core-s' && Math.abs(x) >= 3600) return `${formatNumber(x / 3600)} core-h`;
  return `${formatNumber(x)} ${unit}`;
}

/** '45 s', '12 min', '3.5 h', '2.1 d'. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return formatNumber(seconds);
  const a = Math.abs(seconds);
  if (a < 120) return `${formatNumber(seconds)} s`;
  if (a < 7200) return `${formatNumber(seconds / 60)} min`;
  if (a < 172_800) return `${formatNumber(seconds / 3600)} h`;
  return `${formatNumber(seconds / 86_400)} d`;
}

/** '[−2.1, +0.4]', or a dash where there is no interval. */
export function formatInterval(
  low: number | null | undefined,
  high: number | null | undefined,
  format: (x: number) => string = formatNumber,
): string {
  if (low === null || low === undefined || high === null || high === undefined) return NONE;
  return `[${formatSigned(low, (x) => format(x!))}, ${formatSigned(high, (x) => format(x!))}]`;
}

/** 'p < 0.001', 'p = 0.012', 'p = 0.34', 'p = 1'. */
export function formatP(p: number): string {
  if (p < 0.001) return 'p < 0.001';
  if (p < 0.1) return `p = ${p.toFixed(3)}`;
  return p >= 0.995 ? 'p = 1' : `p = ${p.toFixed(2)}`;
}

/** '1,234'. */
export function formatCount(x: number): string {
  return signed(x, grouped(Math.abs(x)));
}

/** '2026-01-05 00:00' of an ISO 8601 time, in UTC. */
export function formatTime(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

function scaled(x: number, base: number, names: readonly string[], suffix: string): string {
  let k = 0;
  while (k + 1 < names.length && Number(Math.abs(x).toPrecision(3)) >= base) {
    x /= base;
    k++;
  }
  return `${formatNumber(x)} ${names[k]}${suffix}`;
}

function signed(x: number, text: string): string {
  return x < 0 && /[1-9∞]/.test(text) ? `−${text}` : text;
}

function grouped(a: number): string {
  return Math.round(a)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

function scientific(a: number): string {
  const [mantissa, exponent] = a.toExponential(1).split('e') as [string, string];
  const digits = '⁰¹²³⁴⁵⁶⁷⁸⁹';
  const power = exponent
    .replace('+', '')
    .replace('-', '⁻')
    .replace(/\d/g, (d) => digits[Number(d)]!);
  return `${mantissa}×10${power}`;
}
