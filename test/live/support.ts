import { setTimeout as sleep } from 'node:timers/promises';
import { loadLibvirt } from '../../live/libvirt/ffi.ts';

/** Why tests that need libvirt's client library cannot run; undefined if they can. */
export const noLibvirt = await loadLibvirt().then(
  () => undefined,
  (error: Error) => error.message.split('\n')[0],
);
if (noLibvirt) console.log(`rig: SKIPPED: ${noLibvirt}`);

/** Waits for something that is bound to happen, and fails if it does not within a minute. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
) {
  const until = Date.now() + 60_000;
  while (Date.now() < until) {
    const seen = await look();
    if (seen) return seen;
    await sleep(100);
  }
  throw new Error(`did not happen within a minute: ${what}`);
}
