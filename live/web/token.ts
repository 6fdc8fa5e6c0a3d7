import { ask, textField } from './dialog.ts';

const KEY = 'foresize-token';
const listeners = new Set<() => void>();
let asking: Promise<boolean> | undefined;

/** The token as entered in this tab; it is gone when the tab is closed. */
export function storedToken(): string | null {
  return sessionStorage.getItem(KEY);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
  tell();
}

export function onToken(listener: () => void): void {
  listeners.add(listener);
}

/** Asks for the token, once for all who want it. @returns whether one was given */
export function askToken(why: string): Promise<boolean> {
  asking ??= enter(why).finally(() => {
    asking = undefined;
  });
  return asking;
}

async function enter(why: string): Promise<boolean> {
  const answer = await ask({
    title: 'Token',
    text: `${why} It is in the file api.tokenFile names, on the machine of the daemon. It is kept in this tab alone.`,
    fields: [textField('token', 'Token', { type: 'password', required: true, autocomplete: 'off' })],
    confirm: 'Unlock changes',
  });
  const token = answer?.get('token');
  if (typeof token !== 'string') return false;
  sessionStorage.setItem(KEY, token.trim());
  tell();
  return true;
}

function tell(): void {
  for (const listener of listeners) listener();
}
