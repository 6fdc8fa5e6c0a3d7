/** The theme: the system's unless the user chose one. Runs before the page is drawn. */

export const THEMES = ['system', 'light', 'dark'] as const;
export type ThemeName = (typeof THEMES)[number];
const KEY = 'foresize-theme';
const listeners = new Set<() => void>();

export function theme(): ThemeName {
  const stored = localStorage.getItem(KEY);
  return THEMES.find((name) => name === stored) ?? 'system';
}

export function setTheme(name: ThemeName): void {
  localStorage.setItem(KEY, name);
  show(name);
}

/** Calls `listener` when colours change; charts paint them on a canvas. */
export function onTheme(listener: () => void): void {
  listeners.add(listener);
}

/** A colour of the style sheet as the browser resolves it now. */
export function color(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function show(name: ThemeName): void {
  if (name === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = name;
  for (const listener of listeners) listener();
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => show(theme()));
show(theme());
