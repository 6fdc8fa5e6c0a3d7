import type {
  AnomaliesView,
  EventsView,
  PredictionView,
  StatusView,
  VmTrackView,
  VmView,
} from '../../server/views.ts';
import { ApiError, read } from '../api.ts';
import { Chart, type Line } from '../chart.ts';
import { h, swap } from '../dom.ts';
import { amount, duration, money, number, percent, RESOURCE_NAMES, scaleOf } from '../format.ts';
import type { Page } from '../page.ts';
import { choices, empty, figures, heading, scrolling, section, time } from '../parts.ts';

type Resource = VmTrackView['resource'];
const HOUR = 3_600_000;
const SPANS = { '3': '3 hours', '24': 'a day', '168': 'a week' } as const;
const ROWS = 24;

/** One VM: what it used against what was forecast and granted, and what is expected next. */
export function vmPage(vmId: string): Page {
  let resource: Resource = 'cpu';
  let hours: keyof typeof SPANS = '24';
  const lede = h('span', {}, 'Reading…');
  const top = h('div');
  const pickers = h('div', { class: 'bar' });
  const note = h('span');
  const usage = new Chart(330);
  const pressure = new Chart(120);
  const rows = h('div');
  const anomalies = h('div');
  const events = h('div');
  const element = h(
    'div',
    {},
    heading(vmId, lede),
    top,
    section(
      'Actual against forecast',
      note,
      pickers,
      usage.element,
      h('h3', {}, 'Work held back'),
      pressure.element,
      h('details', {}, h('summary', {}, `The last ${ROWS} ticks as a table`), rows),
    ),
    h(
      'div',
      { class: 'columns' },
      section('Anomalies', 'of this VM', anomalies),
      section('Events', 'of this VM, newest first', events),
    ),
  );
  const path = `/vms/${encodeURIComponent(vmId)}`;

  async function update(): Promise<void> {
    const [vm, status] = await Promise.all([read<VmView>(path), read<StatusView>('/status')]);
    const offered = vm.resources.map((row) => row.resource);
    if (!offered.includes(resource)) resource = offered[0] ?? 'cpu';
    swap(lede, `${vm.applicationId}, for ${vm.userId}, under the policy ${vm.policy}.`);
    swap(top, figures(figuresOf(vm)));
    swap(
      pickers,
      choices(
        'Resource',
        'vm-resource',
        offered.map((r) => [r, RESOURCE_NAMES[r]]),
        resource,
        (chosen) => {
          resource = chosen;
          void draw(vm, status.stepMs);
        },
      ),
      choices(
        'Time shown',
        'vm-hours',
        Object.entries(SPANS) as [keyof typeof SPANS, string][],
        hours,
        (chosen) => {
          hours = chosen;
          void draw(vm, status.stepMs);
        },
      ),
    );
    await draw(vm, status.stepMs);
    await Promise.all([showAnomalies(), showEvents()]);
  }

  async function draw(vm: VmView, stepMs: number): Promise<void> {
    const ticks = Math.min(4032, Math.ceil((Number(hours) * HOUR) / stepMs));
    const track = await read<VmTrackView>(`${path}/track/${resource}?ticks=${ticks}`);
    const ahead = Math.max(1, Math.min(288, Math.round(Math.min(ticks * 0.25, (6 * HOUR) / stepMs))));
    const next = await predicted(vm, track, ahead);
    const future = next?.at ?? [];
    const gap = future.map(() => null);
    const [median, upper] = next?.vms[0]?.values ?? [gap, gap];
    const now = track.at.at(-1);
    const quantile = number(track.upperQuantile * 100);
    const forecasts = [...track.median, ...median!].some((x) => x !== null);
    const lines: Line[] = [
      {
        label: 'Allocated',
        values: [...track.allocation, ...gap],
        color: 'allocation',
        stepped: true,
        width: 2.5,
      },
      { label: 'Used', values: [...track.usage, ...gap], color: 'usage', width: 1.75 },
    ];
    if (forecasts) {
      lines.push(
        {
          label: `Forecast, ${quantile} %`,
          values: [...track.upper, ...upper!],
          color: 'forecast',
          width: 1,
          bandTo: 3,
        },
        { label: 'median', values: [...track.median, ...median!], color: 'forecast', dash: [5, 3] },
      );
    }
    const last = vm.resources.find((row) => row.resource === resource);
    const short = track.pressure.filter((x) => (x ?? 0) > 0.01).length / Math.max(1, track.pressure.length);
    const expected = upper!.reduce<number>((most, x) => Math.max(most, x ?? 0), 0);
    usage.show(
      { at: [...track.at, ...future], unit: track.unit, lines, ...(now !== undefined && { now }) },
      `${RESOURCE_NAMES[resource]} of ${vmId} over ${SPANS[hours]}: now ${amount(last?.usage ?? null, track.unit)} used of ${amount(last?.allocation ?? null, track.unit)} allocated. ${forecasts ? `At most ${amount(expected, track.unit)} is expected in the next ${duration(future.length * stepMs)} (${quantile} % quantile).` : 'No forecast is made.'}`,
    );
    pressure.show(
      {
        at: track.at,
        unit: '%',
        most: 10,
        lines: [
          {
            label: 'Held back',
            values: track.pressure.map((x) => (x === null ? null : x * 100)),
            color: 'bad',
          },
        ],
      },
      `Share of wanted work held back: above 1 % in ${percent(short)} of the ticks shown.`,
    );
    note.textContent = forecasts
      ? `The band reaches from the median to the ${quantile} % quantile, as forecast one tick ahead; on the tinted ground, for the time to come.`
      : `The policy ${vm.policy} makes no forecast.`;
    showRows(track);
  }

  function showRows(track: VmTrackView): void {
    const { unit, per } = scaleOf(track.unit, Math.max(...track.allocation.map((x) => x ?? 0)));
    const cell = (x: number | null | undefined) =>
      h('td', { class: 'number' }, number(x === null || x === undefined ? null : x / per));
    const from = Math.max(0, track.at.length - ROWS);
    const body = track.at.slice(from).map((at, k) => {
      const i = from + k;
      return h(
        'tr',
        {},
        h('th', { scope: 'row' }, time(at)),
        cell(track.usage[i]),
        cell(track.allocation[i]),
        cell(track.median[i]),
        cell(track.upper[i]),
        h('td', { class: 'number' }, percent(track.pressure[i] ?? null)),
      );
    });
    const heads = ['Used', 'Allocated', 'Median forecast', 'Upper forecast'].map(
      (label) => `${label}, ${unit}`,
    );
    const head = ['Tick', ...heads, 'Held back'].map((label, i) =>
      h('th', { scope: 'col', class: i > 0 ? 'number' : undefined }, label),
    );
    swap(
      rows,
      scrolling(
        'Ticks',
        h('table', {}, h('thead', {}, h('tr', {}, head)), h('tbody', {}, body.toReversed())),
      ),
    );
  }

  async function showAnomalies(): Promise<void> {
    const found = await read<AnomaliesView>(`/anomalies?vm=${encodeURIComponent(vmId)}`);
    const list = found.anomalies
      .slice(0, 8)
      .map((a) =>
        h(
          'li',
          {},
          time(a.beganAt),
          h('span', {}, a.explanation),
          h(
            'span',
            { class: 'note' },
            a.endedAt === null ? 'open' : `ended after ${duration(a.endedAt - a.beganAt)}`,
          ),
        ),
      );
    swap(
      anomalies,
      list.length > 0
        ? h('ul', { class: 'list' }, list)
        : empty('None so far', 'An anomaly is what the VM’s past and its forecast do not lead to expect.'),
    );
  }

  async function showEvents(): Promise<void> {
    const all = await read<EventsView>('/events?limit=1000');
    const list = all.events.filter((event) => event.vmId === vmId).slice(-8);
    swap(
      events,
      list.length > 0
        ? h(
            'ul',
            { class: 'list' },
            list.toReversed().map((event) => h('li', {}, time(event.at), h('span', {}, event.text))),
          )
        : empty('None lately', 'Resizes of the VM and what befalls it are named here.'),
    );
  }

  return { title: vmId, element, update };
}

/** The forecast of the time to come, on the two quantiles of the track; undefined where none is made. */
async function predicted(
  vm: VmView,
  track: VmTrackView,
  horizon: number,
): Promise<PredictionView | undefined> {
  const query = `horizon=${horizon}&quantiles=0.5,${track.upperQuantile}&vm=${encodeURIComponent(vm.vmId)}`;
  try {
    return await read(
      `/applications/${encodeURIComponent(vm.applicationId)}/predictions/${track.resource}?${query}`,
    );
  } catch (error) {
    if (error instanceof ApiError && error.code === 'FORECAST_NONE') return undefined;
    throw error;
  }
}

function figuresOf(vm: VmView) {
  return [
    ...vm.resources.map(({ resource, unit, usage, allocation, requested, pressure }) => {
      const scale = scaleOf(unit, Math.max(usage ?? 0, allocation ?? 0));
      return {
        label: `${RESOURCE_NAMES[resource]} used`,
        value: number(usage === null ? null : usage / scale.per),
        unit: `of ${number(allocation === null ? null : allocation / scale.per)} ${scale.unit}`,
        more: `${amount(requested, unit)} requested${(pressure ?? 0) > 0 ? `; ${percent(pressure)} held back` : ''}`,
        bad: vm.starved.includes(resource),
      };
    }),
    {
      label: 'Cost',
      value: money(vm.cost.perHour, vm.cost.currency),
      unit: 'per hour',
      more: 'of what is allocated now',
    },
  ];
}
