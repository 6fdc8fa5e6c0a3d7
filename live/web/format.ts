/** Figures as the reports write them: three digits, a unit, an en dash where nothing is known. */

export const NONE = '–';
const LADDERS: Readonly<Record<string, { readonly units: readonly string[]; readonly base: number }>> = {
  MiB: { units: ['MiB', 'GiB', 'TiB'], base: 1024 },
  'bytes/s': { units: ['B/s', 'kB/s', 'MB/s', 'GB/s'], base: 1000 },
};
const SYMBOLS: Readonly<Record<string, string>> = { USD: '$', EUR: '€', GBP: '£' };

export const RESOURCE_NAMES = {
  cpu: 'CPU',
  memory: 'Memory',
  diskIo: 'Disk I/O',
  network: 'Network',
} as const;

export function number(x: number | null, digits = 3): string {
  if (x === null || Number.isNaN(x)) return NONE;
  if (x === 0) return '0';
  const text =
    Math.abs(x) >= 1000 ? Math.round(x).toLocaleString('en') : String(Number(x.toPrecision(digits)));
  return text.replace('-', '−');
}

/** The unit in which the largest value has few digits, and what to divide by. */
export function scaleOf(unit: string, most: number): { readonly unit: string; readonly per: number } {
  const ladder = LADDERS[unit];
  if (!ladder) return { unit, per: 1 };
  let step = 0;
  let per = 1;
  while (step + 1 < ladder.units.length && most / per >= ladder.base) {
    per *= ladder.base;
    step++;
  }
  return { unit: ladder.units[step]!, per };
}

export function amount(x: number | null, unit: string): string {
  if (x === null) return NONE;
  const scale = scaleOf(unit, Math.abs(x));
  return `${number(x / scale.per)} ${scale.unit}`;
}

export function money(x: number, currency: string): string {
  const text = Math.abs(x).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const small = x !== 0 && Math.abs(x) < 0.1 ? String(Number(Math.abs(x).toPrecision(2))) : text;
  const symbol = SYMBOLS[currency];
  const sign = x < 0 ? '−' : '';
  return symbol ? `${sign}${symbol}${small}` : `${sign}${small} ${currency}`;
}

export function percent(share: number | null): string {
  if (share === null) return NONE;
  const x = share * 100;
  return `${x !== 0 && x < 0.1 ? '< 0.1' : number(x, x < 10 ? 2 : 3)} %`;
}

export function clock(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

/** `25 Nov, 14:35`; of today only the time. */
export function when(at: number): string {
  const date = new Date(at);
  if (date.toDateString() === new Date().toDateString()) return clock(at);
  return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${clock(at)}`;
}

export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${number(seconds / 3600, 2)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
