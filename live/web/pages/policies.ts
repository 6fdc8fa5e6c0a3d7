import type { ApplicationsView, PoliciesView } from '../../server/views.ts';
import { read, write } from '../api.ts';
import { ask, notify } from '../dialog.ts';
import { h, swap } from '../dom.ts';
import { money } from '../format.ts';
import type { Page, Shell } from '../page.ts';
import { empty, heading, scrolling, section } from '../parts.ts';

type Application = ApplicationsView['applications'][number];

const KINDS: Readonly<Record<string, string>> = {
  static: 'the allocation as requested',
  threshold: 'follows the forecast when it leaves a band around the allocation',
  quantile: 'allocates a quantile of the forecast',
  vpa: 'as the Kubernetes vertical pod autoscaler',
  'autopilot-window': 'as Autopilot, over a moving window',
  'autopilot-ml': 'as Autopilot, by an ensemble of limits',
};

/** Which policy governs which application. */
export function policiesPage(shell: Shell): Page {
  let drawn = '';
  const applications = h('div');
  const policies = h('div', { class: 'cards' });
  const element = h(
    'div',
    {},
    heading('Policies', 'How each application’s VMs are resized. A change takes effect at the next tick.'),
    applications,
    section('Configured policies', 'from the configuration of the daemon', policies),
  );

  async function update(): Promise<void> {
    const [known, apps] = await Promise.all([
      read<PoliciesView>('/policies'),
      read<ApplicationsView>('/applications'),
    ]);
    const fixed = apps.applications.map(({ cost: _, ...rest }) => rest);
    const now = JSON.stringify([known, fixed]);
    // An open select must not be taken away under the pointer.
    if (now === drawn) return;
    drawn = now;
    show(known, apps);
  }

  function show({ policies: known }: PoliciesView, { applications: apps }: ApplicationsView): void {
    const names = known.map(({ name }) => name);
    const heads = ['Application', 'VMs', 'Users', 'Cost per hour', 'Policy'].map((label, i) =>
      h('th', { scope: 'col', class: i > 0 && i < 4 ? 'number' : undefined }, label),
    );
    const rows = apps.map((app) =>
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, app.applicationId),
        h('td', { class: 'number' }, app.vms),
        h('td', { class: 'number' }, app.users),
        h('td', { class: 'number' }, money(app.cost.perHour, app.cost.currency)),
        h('td', {}, picker(app, names)),
      ),
    );
    swap(
      applications,
      apps.length > 0
        ? scrolling('Applications', h('table', {}, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, rows)))
        : empty('No application has a VM', 'Applications come with the VMs that are tagged for them.'),
    );
    swap(
      policies,
      known.map(({ name, kind, forecast, isDefault, applications: count, parameters }) =>
        h(
          'article',
          { class: 'card' },
          h('h3', {}, name, ' ', isDefault && h('span', { class: 'tag' }, 'default')),
          h(
            'p',
            { class: 'note' },
            `${kind}: ${KINDS[kind] ?? ''}${forecast ? `, by ${forecast}` : ''}. Governs ${count} ${count === 1 ? 'application' : 'applications'}.`,
          ),
          Object.keys(parameters).length > 0 &&
            h('details', {}, h('summary', {}, 'Parameters'), h('code', {}, JSON.stringify(parameters))),
        ),
      ),
    );
  }

  function picker({ applicationId, policy }: Application, names: readonly string[]): HTMLElement {
    const select = h(
      'select',
      {
        'aria-label': `Policy of ${applicationId}`,
        'data-key': `policy-${applicationId}`,
        onchange: () => {
          void choose(applicationId, policy, select.value)
            .catch((error) => notify(String((error as Error).message)))
            .finally(() => {
              drawn = '';
              shell.refresh();
            });
        },
      },
      names.map((name) => h('option', { value: name, selected: name === policy }, name)),
    );
    return select;
  }

  async function choose(applicationId: string, from: string, to: string): Promise<void> {
    const sure = await ask({
      title: `Put ${applicationId} under ${to}?`,
      text: `Its VMs are resized by ${to} in place of ${from} from the next tick on.`,
      confirm: 'Change the policy',
    });
    if (!sure) return;
    const done = await write('PUT', `/applications/${encodeURIComponent(applicationId)}/policy`, {
      policy: to,
    });
    if (done) notify(`${applicationId} is under ${to} from the next tick on.`);
  }

  return { title: 'Policies', element, update };
}
