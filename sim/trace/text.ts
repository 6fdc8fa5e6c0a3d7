import type { Distribution, TraceSummary } from './inspect.ts';

/** The summary of a trace as aligned text for a terminal; every figure has its unit. */
export function summaryText(summary: TraceSummary): string {
  const { report, resources } = summary;
  const lines = [
    `trace      ${summary.name} (${summary.format})`,
    `period     ${period(summary)}: ${duration(summary.intervals * summary.stepMs)}, ` +
      `${whole(summary.intervals)} intervals of ${duration(summary.stepMs)}`,
    `fleet      ${count(summary.vms, 'VM')}, ${count(summary.applications, 'application')}, ${count(summary.users, 'user')}`,
    `input      ${count(report.files, 'file')}, ${count(report.rows, 'row')}`,
    `sha256     ${report.sha256}`,
    '',
    ...table(
      ['resource', 'unit', 'mean', 'sd', 'min', 'p50', 'p95', 'max', 'sizes', 'fleet mean over time'],
      resources.flatMap((resource) => {
        const known =
          resource.sized === 0
            ? 'unknown'
            : `${count(resource.sized, 'VM')}: ${scaled(resource.totalSize, resource.unit)}`;
        const { scale, unit } = scaleOf(resource.usage.max, resource.unit);
        const rows = [
          [resource.resource, unit, ...figures(resource.usage, scale), known, sparkline(resource.fleetMean)],
        ];
        if (resource.percentOfSize)
          rows.push(['', '% of size', ...figures(resource.percentOfSize, 1), '', '']);
        return rows;
      }),
      [2, 3, 4, 5, 6, 7],
    ),
    '',
    ...table(
      ['found', 'count', 'done'],
      [
        [
          'gaps',
          whole(report.gaps),
          `intervals without a value, left empty: ${percent(summary.coverage)} covered`,
        ],
        ['out of order', whole(report.outOfOrder), 'rows put in order'],
        ['duplicates', whole(report.duplicates), 'rows with a stamp seen before: the last value wins'],
        ['invalid', whole(report.invalid), 'values or rows marked as not measured: taken as missing'],
        ['VMs without values', whole(report.vmsWithoutValues ?? 0), 'left out'],
      ],
      [1],
    ),
  ];
  for (const example of report.examples) lines.push(`  ${example}`);
  if (report.notes?.length) lines.push('', ...report.notes.map((note) => `note: ${note}`));
  return lines.join('\n');
}

/** Columns as wide as their longest cell; those named in `right` are set to the right. */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[],
): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, c) => Math.max(...all.map((row) => (row[c] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, c) => (right.includes(c) ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
      .join('  ')
      .trimEnd(),
  );
}

function figures(d: Distribution, scale: number): string[] {
  const decimals = d.max / scale < 10 ? 4 : 2;
  return [d.mean, d.standardDeviation, d.min, d.p50, d.p95, d.max].map((value) =>
    (value / scale).toFixed(decimals),
  );
}

const BYTES = ['bytes/s', 'kB/s', 'MB/s', 'GB/s'] as const;

/** A larger unit for large figures; one for the whole row, so that its figures compare. */
function scaleOf(largest: number, unit: string): { scale: number; unit: string } {
  if (unit === 'MiB' && largest >= 10240) return { scale: 1024, unit: 'GiB' };
  if (unit !== 'bytes/s') return { scale: 1, unit };
  let step = 0;
  while (step < 3 && largest >= 10 * 1000 ** (step + 1)) step++;
  return { scale: 1000 ** step, unit: BYTES[step]! };
}

function scaled(value: number, unit: string): string {
  const to = scaleOf(value, unit);
  return `${(value / to.scale).toLocaleString('en-US', { maximumFractionDigits: 1 })} ${to.unit}`;
}

const BARS = '▁▂▃▄▅▆▇█';

/** One bar a value from the least to the greatest; a blank where there is none. */
export function sparkline(values: readonly number[]): string {
  const finite = values.filter((value) => Number.isFinite(value));
  const min = Math.min(...finite);
  const range = Math.max(...finite) - min;
  return values
    .map((value) => {
      if (!Number.isFinite(value)) return ' ';
      return BARS[range === 0 ? 0 : Math.min(7, Math.floor(((value - min) / range) * 8))]!;
    })
    .join('');
}

function whole(value: number): string {
  return value.toLocaleString('en-US');
}

function count(value: number, what: string): string {
  return `${whole(value)} ${what}${value === 1 ? '' : 's'}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** Traces with stamps from 0 have no calendar: their dates would be of 1970. */
function period({ from, to }: TraceSummary): string {
  const start = Date.parse(from);
  if (start >= 366 * 86_400_000) return `${minute(from)} to ${minute(to)} UTC`;
  return `${start === 0 ? '0' : duration(start)} to ${duration(Date.parse(to))} of the trace's own time`;
}

function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

export function duration(ms: number): string {
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0) parts.push(`${n} ${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0 ms';
}
