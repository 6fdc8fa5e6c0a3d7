import type { AnomaliesView, EventView, RecommendationsView, StatusView } from '../server/views.ts';
import { ApiError, read } from './api.ts';
import { byId, h } from './dom.ts';
import { Frame } from './frame.ts';
import { follow } from './live.ts';
import type { Page, Shell } from './page.ts';
import { anomaliesPage } from './pages/anomalies.ts';
import { eventsPage } from './pages/events.ts';
import { overviewPage } from './pages/overview.ts';
import { policiesPage } from './pages/policies.ts';
import { promotionPage } from './pages/promotion.ts';
import { recommendationsPage } from './pages/recommendations.ts';
import { vmPage } from './pages/vm.ts';
import { vmsPage } from './pages/vms.ts';
import { empty, heading, problem } from './parts.ts';
import { onToken } from './token.ts';

/** Events come in bunches, a tick's resizes with it: one reading serves them all. */
const SETTLE_MS = 250;
const RETRY_MS = 5000;

const shell: Shell = { refresh: () => void refresh() };
const frame = new Frame(shell);
let page: Page;
let refreshing: Promise<void> | undefined;
let again = false;
let retry: ReturnType<typeof setTimeout> | undefined;

function pageAt(path: string): Page {
  const [, vmId] = /^\/vms\/(.+)$/.exec(path) ?? [];
  if (vmId !== undefined) return vmPage(decodeURIComponent(vmId));
  const make = {
    '/': overviewPage,
    '/vms': vmsPage,
    '/anomalies': anomaliesPage,
    '/recommendations': () => recommendationsPage(shell),
    '/policies': () => policiesPage(shell),
    '/promotion': () => promotionPage(shell),
    '/events': eventsPage,
  }[path];
  return make?.() ?? nowhere();
}

function nowhere(): Page {
  const element = h(
    'div',
    {},
    heading('Not here', ''),
    empty('There is no such page', 'The pages are listed beside.'),
  );
  return { title: 'Not here', element, update: async () => {} };
}

async function show(focus: boolean): Promise<void> {
  const next = pageAt(location.pathname);
  page = next;
  document.title = `${next.title} – Foresize`;
  byId('main').replaceChildren(next.element);
  frame.showNav();
  if (focus) {
    scrollTo(0, 0);
    next.element.querySelector('h1')?.focus();
  }
  await refresh();
}

/** Brings the frame and the page up to date; a call while that goes on leads to one more. */
function refresh(): Promise<void> {
  again = true;
  refreshing ??= (async () => {
    while (again) {
      again = false;
      await readAll(page);
    }
  })().finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

async function readAll(shown: Page): Promise<void> {
  clearTimeout(retry);
  try {
    const [status, anomalies, advice] = await Promise.all([
      read<StatusView>('/status'),
      read<AnomaliesView>('/anomalies?state=open'),
      read<RecommendationsView>('/recommendations?state=open'),
    ]);
    frame.showStatus(status, anomalies, advice);
    await shown.update();
    told();
  } catch (error) {
    if (shown !== page) return;
    const ofPage = error instanceof ApiError && error.status === 404;
    if (ofPage) {
      byId('main').replaceChildren(h('div', {}, heading(shown.title, ''), problem(error)));
      told();
      return;
    }
    frame.showError(error);
    retry = setTimeout(shell.refresh, RETRY_MS);
  }
}

/** Marks the document as showing what its address asks for. */
function told(): void {
  document.documentElement.dataset['drawn'] = location.pathname;
}

function go(url: URL): void {
  if (url.href === location.href) return;
  history.pushState(null, '', url);
  void show(true);
}

/** Links within the dashboard change the page without leaving the document. */
document.addEventListener('click', (event) => {
  const link = (event.target as Element).closest('a');
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.origin !== location.origin || link.hash !== '')
    return;
  event.preventDefault();
  go(new URL(link.href));
});
addEventListener('popstate', () => void show(true));
onToken(() => frame.showControls());

let settling = false;
function onEvent(event: EventView): void {
  page.onEvent?.(event);
  if (settling) return;
  settling = true;
  setTimeout(() => {
    settling = false;
    shell.refresh();
  }, SETTLE_MS);
}

let wasOpen = true;
void show(false);
void follow({
  onEvent,
  onState: (open) => {
    frame.live = open;
    // What was missed shows at once when the daemon is back.
    if (open && !wasOpen) shell.refresh();
    wasOpen = open;
  },
});
