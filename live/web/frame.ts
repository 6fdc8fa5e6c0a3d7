import type { AnomaliesView, RecommendationsView, StatusView } from '../server/views.ts';
import { byId, h, swap } from './dom.ts';
import { duration, when } from './format.ts';
import { killButton, stoppedBanner } from './kill-switch.ts';
import type { Shell } from './page.ts';
import { problem } from './parts.ts';
import { setTheme, THEMES, theme } from './theme.ts';
import { askToken, forgetToken, storedToken } from './token.ts';

export const PAGES = [
  ['/', 'Fleet'],
  ['/vms', 'VMs'],
  ['/anomalies', 'Anomalies'],
  ['/recommendations', 'Recommendations'],
  ['/policies', 'Policies'],
  ['/promotion', 'Promotion'],
  ['/events', 'Events'],
] as const;

/** Ticks that may be missed before the bar says so. */
const LATE = 3;

/** What stands around every page: the state of the daemon, the pages, the switches. */
export class Frame {
  readonly #shell: Shell;
  #status: StatusView | undefined;
  #error: unknown;
  #live = true;
  #counts: Readonly<Record<string, number>> = {};

  constructor(shell: Shell) {
    this.#shell = shell;
    this.showNav();
    this.showControls();
    setInterval(() => this.#showState(), 1000);
  }

  set live(open: boolean) {
    this.#live = open;
    this.#showState();
  }

  showStatus(
    status: StatusView,
    { anomalies }: AnomaliesView,
    { recommendations }: RecommendationsView,
  ): void {
    const changed =
      JSON.stringify(this.#status?.killSwitch) !== JSON.stringify(status.killSwitch) ||
      this.#error !== undefined;
    this.#status = status;
    this.#error = undefined;
    this.#counts = { '/anomalies': anomalies.length, '/recommendations': recommendations.length };
    this.#showState();
    this.showNav();
    this.showControls();
    if (changed) swap(byId('banner'), status.killSwitch.engaged && stoppedBanner(status, this.#shell));
  }

  showError(error: unknown): void {
    this.#error = error;
    swap(byId('banner'), problem(error));
  }

  showNav(): void {
    const current = location.pathname.startsWith('/vms/') ? '/vms' : location.pathname;
    const links = PAGES.map(([path, label]) => {
      const count = this.#counts[path] ?? 0;
      return h(
        'li',
        {},
        h(
          'a',
          { href: path, 'aria-current': path === current ? 'page' : undefined, 'data-key': `nav-${path}` },
          label,
          count > 0 && h('span', { class: 'count' }, count, h('span', { class: 'unseen' }, ' open')),
        ),
      );
    });
    swap(byId('nav'), h('ul', {}, links));
  }

  #showState(): void {
    const status = this.#status;
    if (!status) return;
    const age = Date.now() - status.tickAt;
    const late = age > LATE * status.stepMs;
    const { name } = status.stage;
    swap(
      byId('state'),
      status.mode === 'apply'
        ? h('span', { class: 'mark' }, 'Applying')
        : h('span', { class: 'mark idle' }, 'Dry run: nothing is changed'),
      h(
        'span',
        { class: status.connected ? 'mark' : 'mark bad' },
        status.connected ? status.uri : `No connection to ${status.uri}`,
      ),
      h(
        'span',
        { class: late ? 'mark bad' : 'mark' },
        `Last tick ${age < 86_400_000 ? `${duration(age)} ago` : when(status.tickAt)}`,
      ),
      h('span', { class: name === 'all' ? 'mark' : 'mark idle' }, `Stage: ${name}`),
      !this.#live && h('span', { class: 'mark warn' }, 'Live updates are cut off; trying again'),
    );
  }

  showControls(): void {
    const status = this.#status;
    const select = h(
      'select',
      {
        'aria-label': 'Theme',
        'data-key': 'theme',
        onchange: () => setTheme(THEMES.find((name) => name === select.value) ?? 'system'),
      },
      THEMES.map((name) =>
        h(
          'option',
          { value: name, selected: name === theme() },
          `${name[0]!.toUpperCase()}${name.slice(1)} theme`,
        ),
      ),
    );
    const lock =
      storedToken() === null
        ? h(
            'button',
            {
              'data-key': 'token',
              onclick: () => void askToken('Changing something needs the token of the daemon.'),
            },
            'Unlock changes',
          )
        : h('button', { 'data-key': 'token', onclick: () => forgetToken() }, 'Lock changes');
    swap(
      byId('controls'),
      select,
      status?.writable === false ? h('span', { class: 'note' }, 'Read only: no token is configured') : lock,
      status?.writable !== false && !status?.killSwitch.engaged && killButton(this.#shell),
    );
  }
}
