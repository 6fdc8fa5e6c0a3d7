export type Child = Node | string | number | null | undefined | false | readonly Child[];
type Props = Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>>;

/** An element with attributes, `onclick` and the like as listeners, and children. Text is only ever text. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return dressed(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return dressed(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

function dressed<E extends Element>(element: E, props: Props, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...nodes(children));
  return element;
}

function nodes(children: readonly Child[]): (Node | string)[] {
  return children.flatMap((child): (Node | string)[] => {
    if (child === null || child === undefined || child === false) return [];
    if (child instanceof Node) return [child];
    return typeof child === 'object' ? nodes(child) : [String(child)];
  });
}

/** Puts new content in place; what had the focus keeps it, if it is there again under the same `data-key`. */
export function swap(region: Element, ...children: readonly Child[]): void {
  const focused = document.activeElement;
  const key = region.contains(focused)
    ? focused?.closest<HTMLElement>('[data-key]')?.dataset['key']
    : undefined;
  region.replaceChildren(...nodes(children));
  if (key === undefined) return;
  for (const element of region.querySelectorAll<HTMLElement>('[data-key]')) {
    if (element.dataset['key'] === key) element.focus({ preventScroll: true });
  }
}

export function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}
