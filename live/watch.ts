import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT, ForesizeError } from '../core/errors.ts';
import { beat, beginHeartbeat, endHeartbeat } from './heartbeat.ts';

/** The longest pause between two signs of life, ms. */
const LONGEST_PAUSE_MS = 5000;
const RESTART_MS = 1000;

/** The daemon's side of the watchdog: keeps one running, and gives it signs of life. */
export class Watch {
  readonly #dir: string;
  readonly #session: string;
  readonly #timer: NodeJS.Timeout;
  #child: ChildProcess | undefined;
  #over = false;

  /** @param alive asked before each sign of life whether it would be true */
  constructor(dir: string, session: string, uri: string, limitMs: number, alive: () => boolean) {
    this.#dir = dir;
    this.#session = session;
    beginHeartbeat(dir, session, uri, limitMs);
    this.#timer = setInterval(
      () => {
        if (alive()) beat(dir);
      },
      Math.min(LONGEST_PAUSE_MS, limitMs / 4),
    );
    this.#spawn();
  }

  #spawn(): void {
    if (this.#over) return;
    // In a session of its own, so that what is sent to the daemon's group does not reach it.
    this.#child = spawn(process.execPath, [watchdogFile(), this.#dir, this.#session], {
      detached: true,
      stdio: 'ignore',
    });
    this.#child.unref();
    this.#child.once('exit', () => setTimeout(() => this.#spawn(), RESTART_MS).unref());
  }

  /** @param keep true to leave the watchdog on guard: it lifts the limits when its time is up */
  end(keep: boolean): void {
    this.#over = true;
    clearInterval(this.#timer);
    if (!keep) endHeartbeat(this.#dir);
  }
}

/** Node runs no TypeScript before 22.18, so from the sources it is the built one. */
function watchdogFile(): string {
  if (import.meta.url.endsWith('.js')) return fileURLToPath(new URL('./watchdog.js', import.meta.url));
  const built = fileURLToPath(new URL('../dist/live/watchdog.js', import.meta.url));
  if (existsSync(built)) return built;
  throw new ForesizeError(
    { code: 'NOT_BUILT', what: `${built} is missing`, remedy: 'run `npm run build`' },
    EXIT.usage,
  );
}
