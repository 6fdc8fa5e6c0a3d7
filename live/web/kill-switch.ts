import type { StatusView } from '../server/views.ts';
import { write } from './api.ts';
import { ask, checkField, notify, textField } from './dialog.ts';
import { h } from './dom.ts';
import { when } from './format.ts';
import type { Shell } from './page.ts';

/** The button that stops all resizing, after a word of confirmation. */
export function killButton(shell: Shell): HTMLElement {
  return h(
    'button',
    { class: 'danger', 'data-key': 'kill', onclick: () => run(shell, engage) },
    'Stop all resizing',
  );
}

/** What every page says while resizing is stopped, with the way back. */
export function stoppedBanner({ killSwitch }: StatusView, shell: Shell): HTMLElement {
  return h(
    'div',
    { class: 'stopped', role: 'alert' },
    h(
      'p',
      {},
      h('strong', {}, 'All resizing is stopped'),
      ` since ${when(killSwitch.at)}: ${killSwitch.reason}`,
    ),
    h('button', { 'data-key': 'resume', onclick: () => run(shell, release) }, 'Resume resizing'),
  );
}

function run(shell: Shell, act: () => Promise<void>): void {
  void act()
    .catch((error) => notify(String((error as Error).message)))
    .finally(() => shell.refresh());
}

async function engage(): Promise<void> {
  const answer = await ask({
    title: 'Stop all resizing?',
    text: 'No VM is resized from now on, until resizing is resumed. What is allocated now stays, unless limits are lifted.',
    fields: [
      textField('reason', 'Reason, for the journal', { required: true, maxlength: '500' }),
      checkField('restore', 'Also lift the limits Foresize has set, so that every VM has what it had before'),
    ],
    confirm: 'Stop all resizing',
    danger: true,
  });
  if (!answer) return;
  const body = { reason: String(answer.get('reason')), restore: answer.get('restore') === 'yes' };
  if (await write('PUT', '/kill-switch', body)) notify('All resizing is stopped.');
}

async function release(): Promise<void> {
  const sure = await ask({
    title: 'Resume resizing?',
    text: 'The daemon acts on its decisions again from the next tick on.',
    confirm: 'Resume resizing',
  });
  if (sure && (await write('DELETE', '/kill-switch'))) notify('Resizing is resumed.');
}
