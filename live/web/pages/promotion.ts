import type { StageView, StatusView } from '../../server/views.ts';
import { read, write } from '../api.ts';
import { ask, notify, textField } from '../dialog.ts';
import { h, swap } from '../dom.ts';
import { number, when } from '../format.ts';
import type { Page, Shell } from '../page.ts';
import { empty, heading, intervalBar, scrolling, section } from '../parts.ts';

const STAGES = [
  ['shadow', 'Shadow', 'decides, acts on none'],
  ['canary', 'Canary', 'acts on a share of the VMs'],
  ['all', 'All', 'acts on every VM'],
] as const;

/** How far the configuration has got, and whether it keeps what the simulator promised. */
export function promotionPage(shell: Shell): Page {
  let drawn = '';
  const stages = h('div');
  const checks = h('div');
  const bundle = h('div');
  const element = h(
    'div',
    {},
    heading(
      'Promotion',
      'A configuration goes from shadow to canary to all VMs while it keeps what was promised of it.',
    ),
    stages,
    section('Live against promised', 'each measure with the interval the simulator gave for it', checks),
    section('Bundle', 'what is being promoted', bundle),
  );

  async function update(): Promise<void> {
    const [stage, status] = await Promise.all([read<StageView>('/stage'), read<StatusView>('/status')]);
    const now = JSON.stringify([stage, status.vms, status.mode]);
    if (now === drawn) return;
    drawn = now;
    showStages(stage, status);
    showChecks(stage);
    swap(
      bundle,
      stage.bundle
        ? h(
            'p',
            {},
            h('code', {}, stage.bundle.id),
            `, of code ${stage.bundle.codeVersion}, made ${when(Date.parse(stage.bundle.createdAt))}`,
          )
        : empty(
            'No bundle',
            'The daemon runs a plain configuration. `foresize promote RUN` makes a bundle of a run.',
          ),
    );
  }

  function showStages(stage: StageView, status: StatusView): void {
    const at = STAGES.findIndex(([name]) => name === stage.name);
    const next = STAGES[at + 1];
    const steps = STAGES.map(([name, label, what], i) =>
      h(
        'li',
        { 'aria-current': i === at ? 'step' : undefined },
        h('strong', {}, label),
        name === stage.name ? `since ${when(stage.since)}` : what,
      ),
    );
    swap(
      stages,
      h('ol', { class: 'steps' }, steps),
      h(
        'p',
        {},
        `${stage.inScope} of ${status.vms} VMs may be acted on.`,
        status.mode === 'dry-run' &&
          ' The daemon is in a dry run, so that nothing is carried out in any stage.',
      ),
      h(
        'div',
        { class: 'bar' },
        next &&
          h(
            'button',
            { class: 'primary', 'data-key': 'advance', onclick: () => run(() => advance(next, stage)) },
            `Advance to ${next[0]}`,
          ),
        at > 0 &&
          h(
            'button',
            { class: 'danger', 'data-key': 'rollback', onclick: () => run(rollBack) },
            'Roll back to shadow',
          ),
      ),
    );
  }

  function showChecks(stage: StageView): void {
    if (stage.checks.length === 0) {
      swap(
        checks,
        empty('Nothing to compare yet', 'A bundle brings the intervals; the live figures need some ticks.'),
      );
      return;
    }
    const heads = ['Measure', 'Live', 'Promised', 'On a scale', 'Holds'].map((label) =>
      h('th', { scope: 'col' }, label),
    );
    const rows = stage.checks.map(({ measure, unit, live, low, high, holds }) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, measure, h('br'), h('small', {}, unit)),
        h('td', {}, number(live)),
        h('td', {}, `${number(low)} to ${number(high)}`),
        h('td', {}, intervalBar(low, high, live, holds === false)),
        h(
          'td',
          {},
          h(
            'span',
            { class: holds === null ? 'mark idle' : holds ? 'mark' : 'mark bad' },
            holds === null ? 'not known yet' : holds ? 'holds' : 'breached',
          ),
        ),
      ),
    );
    swap(
      checks,
      scrolling('Checks', h('table', {}, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, rows))),
    );
  }

  function run(act: () => Promise<void>): void {
    void act()
      .catch((error) => notify(String((error as Error).message)))
      .finally(() => shell.refresh());
  }

  async function advance([name, , what]: (typeof STAGES)[number], stage: StageView): Promise<void> {
    const broken = stage.checks.filter(({ holds }) => holds === false).map(({ measure }) => measure);
    const warning = broken.length > 0 ? ` Not kept at the moment: ${broken.join(', ')}.` : '';
    const sure = await ask({
      title: `Advance to ${name}?`,
      text: `The daemon then ${what}.${warning}`,
      confirm: `Advance to ${name}`,
      danger: broken.length > 0,
    });
    if (sure && (await write('POST', '/stage/advance'))) notify(`The stage is ${name}.`);
  }

  async function rollBack(): Promise<void> {
    const answer = await ask({
      title: 'Roll back to shadow?',
      text: 'The daemon goes on deciding, and acts on no VM any more.',
      fields: [textField('reason', 'Reason, for the journal', { required: true, maxlength: '500' })],
      confirm: 'Roll back',
      danger: true,
    });
    if (!answer) return;
    if (await write('POST', '/stage/rollback', { reason: String(answer.get('reason')) }))
      notify('Rolled back to shadow.');
  }

  return { title: 'Promotion', element, update };
}
