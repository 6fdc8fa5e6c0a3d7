import type { Resource } from '../../core/model.ts';
import type { Comparison, PairedDifference, RunResult } from '../result.ts';
import { detectionLines, responseText, watchedRuns } from './anomalies.ts';
import { CLUSTER_ROWS, hostRuns } from './cluster.ts';
import {
  formatCount,
  formatLevel,
  formatMoney,
  formatNumber,
  formatShare,
  formatSigned,
  formatTime,
  NONE,
} from './format.ts';
import { asComparison, costPerVmDay, isOracle, managedResources, resizesPerVmDay } from './measures.ts';

const SHORT: Readonly<Record<Resource, string>> = {
  cpu: 'cpu',
  memory: 'mem',
  diskIo: 'disk',
  network: 'net',
};
const WIDTH = 100;

type Paint = 'bold' | 'dim' | 'good' | 'bad' | 'plain';
interface Cell {
  text: string;
  paint: Paint;
}

const CODES: Readonly<Record<Paint, string>> = {
  bold: '\u001b[1m',
  dim: '\u001b[2m',
  good: '\u001b[32m',
  bad: '\u001b[31m',
  plain: '',
};

interface Column {
  /** Two lines; a first line spans all neighbours with the same one. */
  head: [group: string, name: string];
  width: number;
  cell: (run: RunResult) => Cell;
}

/**
 * The comparison as a table of at most 100 columns, a row a policy. `color` is for a terminal that shows it; the
 * text is the same without.
 */
export function terminalReport(result: Comparison | RunResult, { color }: { color: boolean }): string {
  const comparison = asComparison(result);
  const paint = ({ text, paint: how }: Cell) =>
    color && how !== 'plain' ? `${CODES[how]}${text}\u001b[0m` : text;
  const columns = columnsOf(comparison);
  const rest = columns.reduce((sum, column) => sum + column.width + 1, 0);
  const longest = Math.max(6, ...comparison.runs.map((run) => run.policy.length));
  const nameWidth = Math.max(8, Math.min(longest, WIDTH - rest));
  const lines = [...wrap(titleOf(comparison)).map((text) => paint({ text, paint: 'bold' })), ''];
  lines.push(...headOf(columns, nameWidth).map((text) => paint({ text, paint: 'dim' })));
  for (const run of comparison.runs) {
    const name = {
      text: clip(run.policy, nameWidth),
      paint: isOracle(run.policy) ? 'dim' : 'bold',
    } as const;
    const cells = columns.map((column) => {
      const cell = column.cell(run);
      return paint({ text: cell.text.padStart(column.width), paint: cell.paint });
    });
    lines.push([paint(name), ...cells].join(' ').trimEnd());
  }
  const more = [...clusterLines(comparison), ...anomalyLines(comparison)];
  lines.push(
    ...more.map((line) => (line.startsWith('#') ? paint({ text: line.slice(1), paint: 'dim' }) : line)),
  );
  lines.push(
    '',
    ...notesOf(comparison)
      .flatMap(wrap)
      .map((text) => paint({ text, paint: 'dim' })),
  );
  return `${lines.join('\n')}\n`;
}

function columnsOf({ runs, paired, baseline }: Comparison): Column[] {
  const resources = managedResources(runs);
  const currency = runs[0]?.currency ?? '';
  const rivals = runs.filter((run) => !isOracle(run.policy));
  const column = (
    head: Column['head'],
    value: (run: RunResult) => number | null,
    format: (x: number | null) => string,
    lessIsBetter = true,
  ): Column => {
    const values = rivals.map(value).filter((x) => x !== null);
    const least = Math.min(...values);
    const telling = lessIsBetter && values.some((x) => x !== least);
    const cell = (run: RunResult): Cell => {
      const x = value(run);
      const best = telling && x === least && !isOracle(run.policy);
      return { text: format(x), paint: isOracle(run.policy) ? 'dim' : best ? 'good' : 'plain' };
    };
    const width = Math.max(head[1].length, ...runs.map((run) => cell(run).text.length));
    return { head, width, cell };
  };

  const columns = [
    column(
      ['cost a', 'VM-day'],
      (r) => costPerVmDay(r.fleet),
      (x) => formatMoney(x, currency),
    ),
  ];
  if (paired.length > 0) {
    const cell = (run: RunResult): Cell => {
      if (run.policy === baseline) return { text: 'baseline', paint: 'dim' };
      const p = paired.find((d) => d.policy === run.policy && d.measure === 'costPerVmDay');
      return p ? differenceCell(p) : { text: NONE, paint: 'plain' };
    };
    const head: Column['head'] = [`Δ cost, % [${formatLevel(paired[0]!.level)}`, `interval]`];
    columns.push({ head, width: Math.max(14, ...runs.map((run) => cell(run).text.length)), cell });
  }
  for (const r of resources)
    columns.push(
      column(['violated, %', SHORT[r]], (run) => run.fleet.resources[r]?.violationRate ?? null, share),
    );
  for (const r of resources.slice(0, 2))
    columns.push(
      column(['slack, %', SHORT[r]], (run) => run.fleet.resources[r]?.slack ?? null, whole, false),
    );
  columns.push(column(['per VM-day', 'resizes'], (run) => resizesPerVmDay(run.fleet), two));
  columns.push(column(['per VM-day', 'OOM'], (run) => run.fleet.oomKillsPerVmDay, two));
  for (const column of columns) {
    const group = columns.filter((c) => c.head[0] === column.head[0]);
    const short = column.head[0].length + 1 - group.reduce((sum, c) => sum + c.width + 1, 0);
    if (short > 0) column.width += short;
  }
  return columns;
}

function differenceCell(p: PairedDifference): Cell {
  const value = p.relative ?? null;
  if (!value) return { text: NONE, paint: 'plain' };
  const percent = (x: number) => formatSigned(x, (y) => formatShare(y ?? null));
  const star = p.pHolm < 0.05 ? '*' : ' ';
  const interval =
    value.low === null || value.high === null ? '' : ` [${percent(value.low)}, ${percent(value.high)}]`;
  const certain = p.low !== null && p.high !== null && (p.high < 0 || p.low > 0);
  const paint = !certain || isOracle(p.policy) ? 'plain' : p.difference < 0 ? 'good' : 'bad';
  return { text: `${percent(value.value)}${interval}${star}`, paint };
}

/** Figures of the hosts that decide; the rest is in the other reports. */
const CLUSTER_SHORT = [
  ['Hosts in use', 'hosts'],
  ['Energy', 'kWh'],
  ['Migrations', 'migr.'],
  ['Host time overloaded', 'overloaded'],
  ['SLATAH', 'SLATAH'],
  ['PDM', 'PDM'],
  ['Host failures', 'failures'],
  ['Resizes refused', 'refused'],
] as const;

/** Lines that begin with # are heads. */
function clusterLines({ runs }: Comparison): string[] {
  const rows = CLUSTER_SHORT.map(([label]) => CLUSTER_ROWS.find((row) => row.label === label)!);
  const lines = hostRuns(runs).map((run) => [run.policy, ...rows.map((row) => row.text(run.cluster))]);
  if (lines.length === 0) return [];
  return ['', ...grid(['hosts', ...CLUSTER_SHORT.map(([, short]) => short)], lines)];
}

function anomalyLines({ runs }: Comparison): string[] {
  const lines = watchedRuns(runs).flatMap(({ policy, anomalies }) =>
    detectionLines(anomalies).map(([name, of], k) => [
      k === 0 ? policy : '',
      name,
      of.injected === 0 ? NONE : `${of.found}/${of.injected}`,
      formatShare(of.recall),
      formatShare(of.precision),
      of.delay ? `${of.delay.medianTicks} / ${of.delay.p90Ticks}` : NONE,
      formatCount(of.falseAlarms),
      formatNumber(of.falseAlarmsPerVmDay, 2),
    ]),
  );
  if (lines.length === 0) return [];
  const head = [
    'anomalies',
    '',
    'found',
    'recall, %',
    'precision, %',
    'delay, ticks 50 / 90 %',
    'false',
    'a VM-day',
  ];
  const answered = watchedRuns(runs).map(
    ({ policy, anomalies }) => `#Responses of ${policy}: ${responseText(anomalies)}.`,
  );
  return ['', ...grid(head, lines), ...answered];
}

/** A small table: the first column to the left, the others to the right. */
function grid(head: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const width = head.map((text, k) => Math.max(text.length, ...lines.map((line) => line[k]!.length)));
  const row = (cells: readonly string[]) =>
    cells
      .map((cell, k) => (k === 0 ? cell.padEnd(width[k]!) : cell.padStart(width[k]!)))
      .join('  ')
      .trimEnd();
  return [`#${row(head)}`, ...lines.map(row)];
}

function headOf(columns: readonly Column[], nameWidth: number): string[] {
  let groups = ' '.repeat(nameWidth);
  for (let i = 0; i < columns.length; ) {
    let width = -1;
    const group = columns[i]!.head[0];
    for (; i < columns.length && columns[i]!.head[0] === group; i++) width += columns[i]!.width + 1;
    groups += ` ${group.padStart(width)}`;
  }
  const names = columns.map((column) => column.head[1].padStart(column.width));
  return [groups, ['policy'.padEnd(nameWidth), ...names].join(' ')];
}

function titleOf({ name, runs }: Comparison): string {
  const run = runs[0];
  if (!run) return name;
  const { span, fleet } = run;
  return `${name}: ${formatCount(fleet.vms)} VMs, ${formatTime(span.from)} to ${formatTime(span.to)} UTC, seed ${run.seed}`;
}

function notesOf({ paired, baseline, runs }: Comparison): string[] {
  const notes = runs.flatMap(deadlinesOf);
  if (paired.length > 0)
    notes.push(
      `Δ against ${baseline} over the same VM-days; bootstrap clustered by VM; * p < 0.05 after Holm's correction.`,
    );
  notes.push('Violated: share of VM-time with demand above allocation. Cost is simulated, not money saved.');
  return notes;
}

/** What became of jobs and spot capacity, where the run has any. */
function deadlinesOf({ policy, jobs, spot }: RunResult): string[] {
  const notes: string[] = [];
  if (jobs) {
    const impossible =
      jobs.impossible > 0 ? `; ${formatCount(jobs.impossible)} were late whatever was done` : '';
    notes.push(
      `${policy}: ${formatCount(jobs.missed)} of ${formatCount(jobs.jobs)} jobs missed their deadline${impossible}.`,
    );
  }
  if (spot)
    notes.push(
      `${policy}: ${formatCount(spot.interruptions)} interruptions of VMs on spot capacity, away for ${formatShare(spot.awayS / Math.max(1, spot.vmSeconds))} % of their time.`,
    );
  return notes;
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line ? `${line} ${word}` : word;
  }
  return [...lines, line];
}

function clip(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

function share(x: number | null): string {
  return formatShare(x).replace('≈ ', '≈');
}

function whole(x: number | null): string {
  return x === null ? NONE : formatNumber(Math.round(x * 100));
}

function two(x: number | null): string {
  return formatNumber(x, 2);
}
