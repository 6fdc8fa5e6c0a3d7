import type {
  AnomaliesView,
  FleetTrackView,
  FleetView,
  RecommendationsView,
  StatusView,
  VmListView,
} from '../../server/views.ts';
import { read } from '../api.ts';
import { Chart } from '../chart.ts';
import { h, swap } from '../dom.ts';
import { amount, clock, duration, money, number, percent, RESOURCE_NAMES, scaleOf } from '../format.ts';
import type { Page } from '../page.ts';
import { choices, empty, type Figure, figures, heading, section, time, vmLink } from '../parts.ts';

type Resource = FleetTrackView['resource'];
const DAY = 86_400_000;
const MOST = 6;

/** The fleet at a glance, and what of it needs an administrator. */
export function overviewPage(): Page {
  let resource: Resource = 'cpu';
  const top = h('div');
  const picker = h('div');
  const note = h('span');
  const chart = new Chart(270);
  const starved = h('div');
  const anomalies = h('div');
  const element = h(
    'div',
    {},
    heading('Fleet', 'What the VMs of this host use, what they are granted, and what that costs.'),
    top,
    section('Allocation and use', note, h('div', { class: 'bar' }, picker), chart.element),
    h(
      'div',
      { class: 'columns' },
      section('Short of something now', h('a', { href: '/vms' }, 'all VMs'), starved),
      section('Open anomalies', h('a', { href: '/anomalies' }, 'all anomalies'), anomalies),
    ),
  );

  async function update(): Promise<void> {
    const [status, fleet, found, advice] = await Promise.all([
      read<StatusView>('/status'),
      read<FleetView>('/fleet'),
      read<AnomaliesView>('/anomalies?state=open'),
      read<RecommendationsView>('/recommendations?state=open'),
    ]);
    swap(top, figures(figuresOf(status, fleet, advice)));
    const offered = fleet.resources.map((row) => row.resource);
    if (!offered.includes(resource)) resource = offered[0] ?? 'cpu';
    swap(
      picker,
      choices(
        'Resource',
        'fleet-resource',
        offered.map((r) => [r, RESOURCE_NAMES[r]]),
        resource,
        (chosen) => {
          resource = chosen;
          void draw(status.stepMs);
        },
      ),
    );
    await draw(status.stepMs);
    await showStarved(fleet);
    showAnomalies(found);
  }

  async function draw(stepMs: number): Promise<void> {
    const ticks = Math.min(4032, Math.ceil(DAY / stepMs));
    const track = await read<FleetTrackView>(`/fleet/track/${resource}?ticks=${ticks}`);
    const last = (values: readonly (number | null)[]) => values.at(-1) ?? null;
    const summary = `${RESOURCE_NAMES[resource]} of all VMs over ${duration(track.at.length * stepMs)}: now ${amount(last(track.usage), track.unit)} used of ${amount(last(track.allocation), track.unit)} allocated.`;
    note.textContent = `Sums over all VMs, the last ${duration(track.at.length * stepMs)}.`;
    chart.show(
      {
        at: track.at,
        unit: track.unit,
        lines: [
          { label: 'Allocated', values: track.allocation, color: 'allocation', stepped: true, width: 2 },
          { label: 'Used', values: track.usage, color: 'usage' },
        ],
      },
      summary,
    );
  }

  async function showStarved(fleet: FleetView): Promise<void> {
    if (fleet.starved === 0) {
      const why = `No VM has more than ${percent(fleet.starvedAbove)} of its work held back.`;
      swap(starved, empty('None', why));
      return;
    }
    const { vms } = await read<VmListView>('/vms');
    const held = (vm: VmListView['vms'][number]) => Math.max(...vm.resources.map((row) => row.pressure ?? 0));
    const short = vms.filter((vm) => vm.starved.length > 0).sort((a, b) => held(b) - held(a));
    swap(
      starved,
      h(
        'ul',
        { class: 'list' },
        short
          .slice(0, MOST)
          .map((vm) =>
            h(
              'li',
              {},
              h('span', { class: 'mark bad' }, percent(held(vm)), ' held back'),
              h('span', {}, vmLink(vm.vmId), ` ${vm.applicationId}`),
              h('span', { class: 'note' }, vm.starved.map((r) => RESOURCE_NAMES[r]).join(', ')),
            ),
          ),
      ),
      short.length > MOST && h('p', { class: 'note' }, `and ${short.length - MOST} more`),
    );
  }

  function showAnomalies({ anomalies: list }: AnomaliesView): void {
    if (list.length === 0) {
      swap(anomalies, empty('None', 'Every VM behaves as its past lets expect.'));
      return;
    }
    swap(
      anomalies,
      h(
        'ul',
        { class: 'list' },
        list
          .slice(0, MOST)
          .map((a) => h('li', {}, time(a.beganAt), h('span', {}, vmLink(a.vmId), h('br'), a.explanation))),
      ),
      list.length > MOST && h('p', { class: 'note' }, `and ${list.length - MOST} more`),
    );
  }

  return { title: 'Fleet', element, update };
}

function figuresOf(status: StatusView, fleet: FleetView, { recommendations }: RecommendationsView): Figure[] {
  const { cost, requestedCost } = fleet;
  const less = requestedCost.perHour > 0 ? 1 - cost.perHour / requestedCost.perHour : 0;
  const saving = recommendations.reduce((sum, { saving: s }) => sum + s.perMonth, 0);
  const currency = recommendations[0]?.saving.currency ?? cost.currency;
  return [
    {
      label: 'VMs',
      value: String(fleet.vms),
      more:
        status.frozen > 0
          ? `${status.frozen} frozen: no fresh telemetry`
          : `tick ${status.tick} at ${clock(status.tickAt)}`,
    },
    {
      label: 'Short now',
      value: String(fleet.starved),
      unit: `of ${fleet.vms}`,
      more: `above ${percent(fleet.starvedAbove)} held back`,
      bad: fleet.starved > 0,
    },
    ...fleet.resources.slice(0, 2).map(({ resource, unit, usage, allocation }) => {
      const scale = scaleOf(unit, Math.max(usage, allocation));
      return {
        label: `${RESOURCE_NAMES[resource]} used`,
        value: number(usage / scale.per),
        unit: `of ${number(allocation / scale.per)} ${scale.unit}`,
        more: allocation > 0 ? `${percent(usage / allocation)} of what is allocated` : '',
      };
    }),
    {
      label: 'Cost',
      value: money(cost.perHour, cost.currency),
      unit: 'per hour',
      more: `${percent(Math.abs(less))} ${less >= 0 ? 'less' : 'more'} than as requested`,
    },
    {
      label: 'Could be saved',
      value: money(saving, currency),
      unit: 'per month',
      more: h(
        'a',
        { href: '/recommendations', 'data-key': 'advice' },
        `${recommendations.length} open recommendations`,
      ),
    },
  ];
}
