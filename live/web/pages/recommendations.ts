import type { RecommendationsView } from '../../server/views.ts';
import { read, write } from '../api.ts';
import { ask, notify, textField } from '../dialog.ts';
import { h, swap } from '../dom.ts';
import { money } from '../format.ts';
import type { Page, Shell } from '../page.ts';
import { choices, empty, heading, intervalBar } from '../parts.ts';

type Advice = RecommendationsView['recommendations'][number];
type State = Advice['state'] | 'all';
const VERBS = { accept: 'Accept', dismiss: 'Dismiss' } as const;

/** Advice on cost with its evidence, to be accepted or dismissed. */
export function recommendationsPage(shell: Shell): Page {
  let state: State = 'open';
  let drawn = '';
  const list = h('div');
  const options = [
    ['open', 'Open'],
    ['accepted', 'Accepted'],
    ['dismissed', 'Dismissed'],
  ] as const;
  const element = h(
    'div',
    {},
    heading(
      'Recommendations',
      'What would lower the cost, by how much, at what risk, and what speaks for it.',
    ),
    h(
      'div',
      { class: 'bar' },
      choices<State>('Which recommendations', 'advice-state', options, state, (chosen) => {
        state = chosen;
        void update();
      }),
    ),
    list,
  );

  async function update(): Promise<void> {
    const { recommendations } = await read<RecommendationsView>(`/recommendations?state=${state}`);
    // Most ticks change nothing here, and what is being read should stay where it is.
    const now = JSON.stringify([state, recommendations]);
    if (now === drawn) return;
    drawn = now;
    const sorted = recommendations.toSorted((a, b) => b.saving.perMonth - a.saving.perMonth);
    const none =
      state === 'open'
        ? empty(
            'Nothing to recommend now',
            'The advisor speaks when the history shows a saving that its interval bears out.',
          )
        : empty(`None ${state}`, 'Recommendations that were answered are kept here.');
    swap(list, sorted.length > 0 ? sorted.map((advice) => card(advice, answer)) : none);
  }

  async function answer(advice: Advice, verb: keyof typeof VERBS): Promise<void> {
    const given = await ask({
      title: `${VERBS[verb]} this recommendation?`,
      text: h('p', {}, `${advice.subject}: ${advice.reason}`),
      fields: [textField('note', 'Note for the journal (optional)', { maxlength: '2000' })],
      confirm: VERBS[verb],
    });
    if (!given) return;
    const done = await write('POST', `/recommendations/${encodeURIComponent(advice.id)}/${verb}`, {
      note: String(given.get('note')),
    });
    if (!done) return;
    notify(`${advice.subject}: recommendation ${verb === 'accept' ? 'accepted' : 'dismissed'}.`);
    shell.refresh();
  }

  return { title: 'Recommendations', element, update };
}

function card(
  advice: Advice,
  answer: (advice: Advice, verb: keyof typeof VERBS) => Promise<void>,
): HTMLElement {
  const { id, kind, subject, reason, saving, risk, evidence, state } = advice;
  const { perMonth, low, high, currency } = saving;
  const action = (verb: keyof typeof VERBS) =>
    h(
      'button',
      {
        class: verb === 'accept' ? 'primary' : undefined,
        'data-key': `${verb}-${id}`,
        'aria-label': `${VERBS[verb]}: ${subject}, ${kind}`,
        onclick: () => void answer(advice, verb).catch((error) => notify(String((error as Error).message))),
      },
      VERBS[verb],
    );
  return h(
    'article',
    { class: 'card advice', 'aria-labelledby': `advice-${id}` },
    h(
      'div',
      {},
      h('div', { class: 'note' }, `${subject} `, h('span', { class: 'tag' }, kind)),
      h('h2', { id: `advice-${id}`, class: 'reason' }, reason),
      h('dl', {}, h('dt', {}, 'Evidence'), h('dd', {}, evidence), h('dt', {}, 'Risk'), h('dd', {}, risk)),
      state === 'open'
        ? h('div', { class: 'actions' }, action('accept'), action('dismiss'))
        : h('p', { class: 'note' }, state === 'accepted' ? 'Accepted.' : 'Dismissed.'),
    ),
    h(
      'div',
      { class: 'saving' },
      h('div', { class: 'note' }, 'Saves per month'),
      h('div', { class: 'value' }, money(perMonth, currency)),
      intervalBar(low, high, perMonth),
      h('div', { class: 'note' }, `likely ${money(low, currency)} to ${money(high, currency)}`),
    ),
  );
}
