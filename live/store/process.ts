import { readFileSync } from 'node:fs';

/** A process, told apart from a later one under the same number by when it began. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot; undefined where /proc does not tell. */
  readonly began?: number;
}

export function identify(pid: number): ProcessIdentity {
  const began = startOf(pid);
  return began === undefined ? { pid } : { pid, began };
}

export function isAlive({ pid, began }: ProcessIdentity): boolean {
  const now = startOf(pid);
  if (now !== undefined) return began === undefined || began === now;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat; the second, the name, may hold spaces and brackets. A zombie is no process any more. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}
