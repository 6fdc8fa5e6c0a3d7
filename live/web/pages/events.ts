import type { EventsView, EventView } from '../../server/views.ts';
import { read } from '../api.ts';
import { h, swap } from '../dom.ts';
import type { Page } from '../page.ts';
import { empty, heading, time, vmLink } from '../parts.ts';

/** Rows shown, and events kept to choose them from. */
const MOST = 100;
const KEPT = 1000;
const KINDS = {
  '': 'Everything but ticks',
  resize: 'Resizes',
  anomaly: 'Anomalies',
  policy: 'Policies',
  stage: 'Stages',
  'kill-switch': 'Kill switch',
  recommendation: 'Recommendations',
  fleet: 'VMs that come and go',
  alarm: 'Alarms',
  problem: 'Problems',
  tick: 'Ticks',
} as const;

/** What happened, newest first, and what happens as it does. */
export function eventsPage(): Page {
  let events: EventView[] = [];
  const list = h('div');
  const select = h(
    'select',
    { id: 'event-kind', onchange: () => draw() },
    Object.entries(KINDS).map(([kind, label]) => h('option', { value: kind }, label)),
  );
  const element = h(
    'div',
    {},
    heading('Events', 'From the journal, as they happen. What is older is in the journal itself.'),
    h('div', { class: 'bar' }, h('label', { for: 'event-kind' }, 'Show'), select),
    list,
  );

  function draw(): void {
    const kind = select.value;
    const wanted = events.filter((event) => (kind === '' ? event.kind !== 'tick' : event.kind === kind));
    swap(
      list,
      wanted.length > 0
        ? h('ul', { class: 'list' }, wanted.toReversed().slice(0, MOST).map(row))
        : empty('Nothing of this kind lately', 'New events appear here by themselves.'),
    );
  }

  return {
    title: 'Events',
    element,
    update: async () => {
      if (events.length > 0) return;
      ({ events } = await read<EventsView>(`/events?limit=${KEPT}`));
      draw();
    },
    onEvent: (event) => {
      if (events.length === 0 || event.seq <= events.at(-1)!.seq) return;
      events = [...events.slice(-KEPT), event];
      draw();
    },
  };
}

function row(event: EventView): HTMLElement {
  return h(
    'li',
    {},
    time(event.at),
    h('span', {}, event.text),
    event.vmId !== undefined && h('span', { class: 'note' }, vmLink(event.vmId)),
    h('span', { class: 'tag' }, event.kind),
  );
}
