import { byId, type Child, h } from './dom.ts';

export interface Question {
  readonly title: string;
  readonly text: Child;
  readonly fields?: readonly HTMLElement[];
  /** What the button that goes on says. */
  readonly confirm: string;
  readonly danger?: boolean;
}

let serial = 0;

/**
 * A modal dialog: the browser keeps the focus in it and gives it back to where it was, Escape closes it.
 * @returns what was entered, undefined if it was left
 */
export function ask({ title, text, fields = [], confirm, danger }: Question): Promise<FormData | undefined> {
  const id = `dialog-${serial++}`;
  return new Promise((resolve) => {
    let answer: FormData | undefined;
    const form = h(
      'form',
      {
        method: 'dialog',
        onsubmit: (event) => {
          event.preventDefault();
          answer = new FormData(form);
          dialog.close();
        },
      },
      h(
        'div',
        {},
        h('h2', { id }, title),
        typeof text === 'string' ? h('p', { id: `${id}-text` }, text) : text,
      ),
      fields,
      h(
        'div',
        { class: 'actions end' },
        h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
        h('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, confirm),
      ),
    );
    const dialog = h('dialog', { 'aria-labelledby': id }, form);
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function textField(
  name: string,
  label: string,
  attributes: Record<string, string | boolean> = {},
): HTMLElement {
  return h('label', { class: 'field' }, label, h('input', { type: 'text', name, ...attributes }));
}

export function checkField(name: string, label: string): HTMLElement {
  return h(
    'label',
    { class: 'check' },
    h('input', { type: 'checkbox', name, value: 'yes' }),
    h('span', {}, label),
  );
}

/** Says what came of something, for a few seconds; screen readers read it out. */
export function notify(text: string): void {
  const notice = h('p', {}, text);
  byId('notices').append(notice);
  setTimeout(() => notice.remove(), 6000);
}
