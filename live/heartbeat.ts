import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, type ProcessIdentity } from './store/process.ts';

/** What the watchdog needs to know of the daemon it watches. */
export interface Heartbeat {
  readonly session: string;
  readonly daemon: ProcessIdentity;
  readonly uri: string;
  readonly limitMs: number;
}

const fileIn = (dir: string): string => join(dir, 'heartbeat.json');

/** Begins a session's heartbeat: whoever watched an earlier one sees that it is over. */
export function beginHeartbeat(dir: string, session: string, uri: string, limitMs: number): void {
  const heartbeat: Heartbeat = { session, daemon: identify(process.pid), uri, limitMs };
  writeFileSync(`${fileIn(dir)}.new`, JSON.stringify(heartbeat));
  renameSync(`${fileIn(dir)}.new`, fileIn(dir));
}

/** A beat takes no space: it comes through on a full disk, too. */
export function beat(dir: string): void {
  const now = new Date();
  try {
    utimesSync(fileIn(dir), now, now);
  } catch {
    // Without it the watchdog does what it is there for.
  }
}

export function endHeartbeat(dir: string): void {
  rmSync(fileIn(dir), { force: true });
}

/** The heartbeat and a number that changes with every beat; undefined if there is none. */
export function readHeartbeat(dir: string): { heartbeat: Heartbeat; beat: number } | undefined {
  try {
    const heartbeat = JSON.parse(readFileSync(fileIn(dir), 'utf8')) as Heartbeat;
    return { heartbeat, beat: statSync(fileIn(dir)).mtimeMs };
  } catch {
    return undefined;
  }
}
