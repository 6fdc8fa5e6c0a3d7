import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readHeartbeat } from './heartbeat.ts';
import { isAlive } from './store/process.ts';

/**
 * A process of its own that lifts the limits when the daemon is gone: `node watchdog.js JOURNAL_DIR SESSION`. It holds
 * nothing but a timer until then, and ends with the session it watches.
 */
async function main(dir: string, session: string): Promise<void> {
  const gone = await watch(dir, session);
  if (!gone) return;
  const say = (text: string): void => {
    try {
      appendFileSync(join(dir, 'watchdog.log'), `${new Date().toISOString()} ${text}\n`);
    } catch {
      // A full disk keeps nobody from lifting limits.
    }
  };
  // One that hangs must not come back and resize what is being set free.
  if (isAlive(gone)) {
    say(`process ${gone.pid} gives no sign of life: killed`);
    process.kill(gone.pid, 'SIGKILL');
    while (isAlive(gone)) await sleep(100);
  }
  const { liftLimits } = await import('./lift.ts');
  await liftLimits(dir, session, say);
}

/** Resolves with the daemon when it has not been heard of for too long; with undefined when it is no longer ours. */
async function watch(dir: string, session: string) {
  let heard = performance.now();
  let last: number | undefined;
  for (;;) {
    const found = readHeartbeat(dir);
    if (found?.heartbeat.session !== session) return undefined;
    const { heartbeat, beat } = found;
    // By a clock that cannot be set; the beat is only compared with itself.
    if (beat !== last) heard = performance.now();
    last = beat;
    if (performance.now() - heard >= heartbeat.limitMs) return heartbeat.daemon;
    await sleep(Math.min(1000, heartbeat.limitMs / 8));
  }
}

const [dir, session] = process.argv.slice(2);
// Ctrl-C in a terminal is for the daemon, which says when it is over.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
await main(dir!, session!);
