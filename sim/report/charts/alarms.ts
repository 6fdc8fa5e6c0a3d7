import { kindName, type WatchedRun } from '../anomalies.ts';
import type { Spec } from '../theme.ts';

/** VMs a chart shows at most, and of these, with false alarms at most. */
const MOST = 14;
const MOST_FALSE = 4;

/** VMs to show: some with false alarms, then those with the most to see; in order of name. */
function shownVms({ anomalies }: WatchedRun): string[] {
  const falseVms = new Set(anomalies.alarms.filter((a) => a.verdict === 'false').map((a) => a.vmId));
  const count = new Map<string, number>();
  for (const { vmId } of [...anomalies.truths, ...anomalies.alarms]) {
    count.set(vmId, (count.get(vmId) ?? 0) + 1);
  }
  const byCount = [...count.keys()].sort((a, b) => count.get(b)! - count.get(a)! || (a < b ? -1 : 1));
  const first = byCount.filter((vm) => falseVms.has(vm)).slice(0, MOST_FALSE);
  return [...first, ...byCount.filter((vm) => !first.includes(vm))].slice(0, MOST).sort();
}

/** What happened to some VMs, as wide grey bars, against the alarms, as lines within; null where there is nothing. */
export function alarmSpec(run: WatchedRun): Spec | null {
  const vms = shownVms(run);
  if (vms.length === 0) return null;
  const { span, anomalies } = run;
  const start = Date.parse(span.from) - span.warmupTicks * span.tickMs;
  const end = Date.parse(span.to);
  // A sample belongs to the interval before its tick.
  const time = (tick: number) => Math.min(end, start + tick * span.tickMs);
  const truths = anomalies.truths
    .filter(({ vmId }) => vms.includes(vmId))
    .map(({ vmId, kind, first, last, delay }) => ({
      vm: vmId,
      from: time(first - 1),
      to: time(last),
      kind: kindName(kind),
      told: delay === null ? 'missed' : `found after ${delay} ticks`,
    }));
  const alarms = anomalies.alarms
    .filter(({ vmId }) => vms.includes(vmId))
    .map(({ vmId, raised, end: last, verdict, severity, explanation }) => ({
      vm: vmId,
      from: time(raised),
      to: last === null ? end : Math.max(time(last), time(raised) + span.tickMs),
      verdict,
      severity,
      told: explanation,
    }));
  const y = { field: 'vm', type: 'nominal', sort: vms, axis: { title: null, grid: true, labelLimit: 140 } };
  const x = {
    field: 'from',
    type: 'temporal',
    scale: { type: 'utc', domain: [Date.parse(span.from), end] },
    axis: { title: null, grid: false, format: '%-d %b', labelOverlap: true },
  };
  const told = (fields: readonly (readonly [string, string])[]) => [
    { field: 'vm', title: 'VM' },
    ...fields.map(([field, title]) => ({ field, title })),
    { field: 'from', type: 'temporal', title: 'From (UTC)', format: '%a %-d %b %H:%M' },
    { field: 'to', type: 'temporal', title: 'To (UTC)', format: '%a %-d %b %H:%M' },
  ];
  return {
    width: 'container',
    height: { step: 22 },
    layer: [
      {
        data: { values: truths },
        mark: { type: 'bar', height: 16, color: '@demand', minBandSize: 3 },
        encoding: {
          y,
          x,
          x2: { field: 'to' },
          stroke: {
            condition: { test: "datum.told === 'missed'", value: '@bad' },
            value: '@muted',
          },
          strokeWidth: { value: 1.5 },
          tooltip: told([
            ['kind', 'Anomaly'],
            ['told', 'Detection'],
          ]),
        },
      },
      {
        data: { values: alarms },
        mark: { type: 'bar', height: 6 },
        encoding: {
          y,
          x,
          x2: { field: 'to' },
          color: {
            field: 'verdict',
            type: 'nominal',
            scale: { domain: ['true', 'false', 'excused'], range: ['@c2', '@bad', '@c1'] },
            legend: null,
          },
          stroke: {
            field: 'verdict',
            type: 'nominal',
            scale: { domain: ['true', 'false', 'excused'], range: ['@c2', '@bad', '@c1'] },
            legend: null,
          },
          strokeWidth: { value: 2 },
          tooltip: told([
            ['verdict', 'Alarm'],
            ['severity', 'Severity'],
            ['told', 'What'],
          ]),
        },
      },
    ],
    resolve: { scale: { color: 'independent', stroke: 'independent' } },
  };
}
