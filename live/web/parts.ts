import type { VmView } from '../server/views.ts';
import { ApiError } from './api.ts';
import { type Child, h, s } from './dom.ts';
import { amount, NONE, when } from './format.ts';

/** Parts that several pages are made of. */

export function heading(title: string, lede: Child): HTMLElement {
  return h('div', {}, h('h1', { tabindex: -1 }, title), h('p', { class: 'lede' }, lede));
}

export function section(title: string, note: Child, ...children: readonly Child[]): HTMLElement {
  const id = `section-${title.toLowerCase().replace(/\W+/g, '-')}`;
  return h(
    'section',
    { 'aria-labelledby': id },
    h('header', {}, h('h2', { id }, title), h('span', { class: 'note' }, note)),
    children,
  );
}

/** Where there is nothing to show: why, and what would bring something. */
export function empty(what: string, why: string): HTMLElement {
  return h('div', { class: 'empty' }, h('strong', { class: 'what' }, what), h('p', {}, why));
}

export function problem(error: unknown): HTMLElement {
  const known = error instanceof ApiError;
  return h(
    'div',
    { class: 'problem', role: 'alert' },
    h(
      'p',
      {},
      h('strong', {}, known ? error.message : 'The page failed.'),
      ' ',
      known && h('code', {}, error.code),
    ),
    h('p', {}, known ? (error.remedy ?? '') : String(error)),
  );
}

export interface Figure {
  readonly label: string;
  readonly value: string;
  readonly unit?: string;
  readonly more?: Child;
  readonly bad?: boolean;
}

export function figures(list: readonly Figure[]): HTMLElement {
  return h(
    'dl',
    { class: 'figures' },
    list.map(({ label, value, unit, more, bad }) =>
      h(
        'div',
        { class: bad ? 'bad' : undefined },
        h('dt', {}, label),
        h(
          'dd',
          {},
          h('span', { class: 'value' }, value, unit && h('span', { class: 'unit' }, ` ${unit}`)),
          more !== undefined && h('span', { class: 'more' }, more),
        ),
      ),
    ),
  );
}

/** Radio buttons that look like one button of several parts. */
export function choices<T extends string>(
  label: string,
  name: string,
  options: readonly (readonly [T, string])[],
  chosen: T,
  choose: (value: T) => void,
): HTMLElement {
  return h(
    'fieldset',
    { class: 'choices' },
    h('legend', { class: 'unseen' }, label),
    options.map(([value, text]) =>
      h(
        'label',
        {},
        h('input', { type: 'radio', name, value, checked: value === chosen, onchange: () => choose(value) }),
        h('span', {}, text),
      ),
    ),
  );
}

/** A table that scrolls by itself where the page is narrow, also by keyboard. */
export function scrolling(label: string, table: HTMLTableElement): HTMLElement {
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, table);
}

export function vmLink(vmId: string): HTMLElement {
  return h('a', { href: `/vms/${encodeURIComponent(vmId)}`, 'data-key': `vm-${vmId}` }, vmId);
}

export function time(at: number): HTMLElement {
  return h('time', { datetime: new Date(at).toISOString() }, when(at));
}

/** Usage within the allocation, with a line where the owner's request is. */
export function useBar(row: VmView['resources'][number] | undefined): Child {
  if (!row) return NONE;
  const full = Math.max(row.allocation ?? 0, row.requested, row.usage ?? 0) || 1;
  const x = (value: number | null) => ((value ?? 0) / full) * 100;
  const asked = x(row.requested);
  return h(
    'div',
    { class: 'use' },
    h(
      'div',
      { class: 'text' },
      h('span', {}, amount(row.usage, row.unit)),
      h('span', {}, amount(row.allocation, row.unit)),
    ),
    s(
      'svg',
      { viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      s('rect', { class: 'ground', width: 100, height: 8 }),
      s('rect', { class: 'granted', width: x(row.allocation), height: 8 }),
      s('rect', { class: 'used', y: 2, width: x(row.usage), height: 4 }),
      asked < 99 &&
        s('line', {
          class: 'asked',
          x1: asked,
          x2: asked,
          y1: 0,
          y2: 8,
          'vector-effect': 'non-scaling-stroke',
        }),
    ),
  );
}

/** An interval with a point in it, on a scale that holds both and zero if it is near. */
export function intervalBar(low: number, high: number, point: number | null, bad = false): SVGElement {
  const from = Math.min(0, low, point ?? low);
  const to = Math.max(high, point ?? high) || 1;
  const x = (value: number) => 4 + ((value - from) / (to - from)) * 232;
  return s(
    'svg',
    { class: 'interval', viewBox: '0 0 240 26', 'aria-hidden': 'true' },
    s('line', { class: 'axis', x1: 4, x2: 236, y1: 13, y2: 13 }),
    s('line', { class: 'zero', x1: x(0), x2: x(0), y1: 3, y2: 23 }),
    s('line', { class: 'range', x1: x(low), x2: x(high), y1: 13, y2: 13 }),
    point !== null && s('circle', { class: bad ? 'point bad' : 'point', cx: x(point), cy: 13, r: 5 }),
  );
}
