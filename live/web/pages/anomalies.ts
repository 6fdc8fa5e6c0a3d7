import type { AnomaliesView } from '../../server/views.ts';
import { read } from '../api.ts';
import { h, swap } from '../dom.ts';
import { duration } from '../format.ts';
import type { Page } from '../page.ts';
import { choices, empty, heading, scrolling, time, vmLink } from '../parts.ts';

type State = 'open' | 'ended' | 'all';
const MARKS: Readonly<Record<string, string>> = { high: 'mark bad', medium: 'mark warn', low: 'mark idle' };

/** What did not go as the past and the forecast let expect. */
export function anomaliesPage(): Page {
  let state: State = 'open';
  const list = h('div');
  const options = [
    ['open', 'Open'],
    ['ended', 'Ended'],
    ['all', 'All'],
  ] as const;
  const element = h(
    'div',
    {},
    heading(
      'Anomalies',
      'VMs that behave unlike their past and their forecast, and what is unusual about it.',
    ),
    h(
      'div',
      { class: 'bar' },
      choices<State>('Which anomalies', 'anomaly-state', options, state, (chosen) => {
        state = chosen;
        void update();
      }),
    ),
    list,
  );

  async function update(): Promise<void> {
    const { anomalies } = await read<AnomaliesView>(`/anomalies?state=${state}`);
    if (anomalies.length === 0) {
      const what = state === 'open' ? 'Nothing unusual now' : 'None so far';
      swap(
        list,
        empty(
          what,
          'An anomaly opens when usage leaves what was forecast, by much or for long, and ends by itself.',
        ),
      );
      return;
    }
    const head = ['Severity', 'VM', 'What is unusual', 'Began', 'Lasted'].map((label) =>
      h('th', { scope: 'col' }, label),
    );
    const rows = anomalies.map((a) =>
      h(
        'tr',
        {},
        h('td', {}, h('span', { class: MARKS[a.severity] ?? 'mark' }, a.severity)),
        h('th', { scope: 'row' }, vmLink(a.vmId), h('br'), h('small', {}, `${a.applicationId}, ${a.userId}`)),
        h('td', {}, a.explanation),
        h('td', {}, time(a.beganAt)),
        h('td', {}, a.endedAt === null ? 'still open' : duration(a.endedAt - a.beganAt)),
      ),
    );
    swap(
      list,
      scrolling('Anomalies', h('table', {}, h('thead', {}, h('tr', {}, head)), h('tbody', {}, rows))),
    );
  }

  return { title: 'Anomalies', element, update };
}
