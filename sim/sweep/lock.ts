import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ForesizeError } from '../../core/errors.ts';

interface Holder {
  readonly host: string;
  readonly pid: number;
  readonly since: string;
}

const BEAT_MS = 1000;
/** Without a beat for so long the holder is dead. NFS shows a file's times up to a minute late. */
const DEAD_MS = { here: 3 * BEAT_MS, elsewhere: 65_000 } as const;

/**
 * One sweep at a time in a folder. The holder touches its file every second; a file that nobody touches is
 * that of a sweep that was killed, on this machine or another, and is taken over.
 */
export class FolderLock {
  readonly #file: string;
  readonly #beat: NodeJS.Timeout;

  private constructor(file: string) {
    this.#file = file;
    this.#beat = setInterval(() => {
      try {
        const now = new Date();
        utimesSync(file, now, now);
      } catch {
        // A folder that is out of reach for a moment: the next write to it says so.
      }
    }, BEAT_MS).unref();
  }

  /** @throws ForesizeError SWEEP_FOLDER_BUSY */
  static async take(folder: string): Promise<FolderLock> {
    const file = join(folder, 'lock');
    const own: Holder = { host: hostname(), pid: process.pid, since: new Date().toISOString() };
    for (let takeover = false; ; takeover = true) {
      try {
        writeFileSync(file, JSON.stringify(own), { flag: 'wx' });
        // Another one may have found the same dead holder and removed this file instead of the dead one's.
        if (takeover) await sleep(BEAT_MS / 4);
        if (!takeover || read(file)?.pid === own.pid) return new FolderLock(file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = await livingHolder(file);
      if (holder) {
        throw new ForesizeError({
          code: 'SWEEP_FOLDER_BUSY',
          what: `a sweep is running in the folder since ${holder.since}: process ${holder.pid} on ${holder.host}`,
          where: folder,
          remedy: 'wait for it, stop it, or choose another folder with --out',
        });
      }
      rmSync(file, { force: true });
    }
  }

  release(): void {
    clearInterval(this.#beat);
    rmSync(this.#file, { force: true });
  }
}

/** Who holds the file, if they still live. On this machine the process tells; elsewhere the file's beat. */
async function livingHolder(file: string): Promise<Holder | undefined> {
  const before = beatOf(file);
  const holder = before === undefined ? undefined : read(file);
  const here = holder?.host === hostname();
  if (here && !isRunning(holder.pid)) return undefined;
  for (let waited = 0; waited < (here ? DEAD_MS.here : DEAD_MS.elsewhere); waited += BEAT_MS / 4) {
    await sleep(BEAT_MS / 4);
    const now = beatOf(file);
    if (now === undefined) return undefined;
    if (now !== before) return holder ?? { host: 'unknown', pid: 0, since: 'unknown' };
  }
  return undefined;
}

function beatOf(file: string): number | undefined {
  try {
    return statSync(file).mtimeMs;
  } catch {
    return undefined;
  }
}

function read(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
