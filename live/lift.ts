import { setTimeout as sleep } from 'node:timers/promises';
import { endHeartbeat, readHeartbeat } from './heartbeat.ts';
import { LibvirtConnection } from './libvirt/connection.ts';
import { restoreOriginal } from './libvirt/originals.ts';
import { ledgerUntil } from './recovery.ts';
import type { Entry } from './store/entries.ts';
import { Journal } from './store/journal.ts';
import type { Ledger } from './store/ledger.ts';

const PAUSE_MS = 5000;

/**
 * Puts back every limit the journal knows of, for a daemon that is gone. Tries again until all are, the VMs are gone, or
 * another daemon has taken over.
 */
export async function liftLimits(dir: string, session: string, say: (text: string) => void): Promise<void> {
  const over = () => readHeartbeat(dir)?.heartbeat.session !== session;
  for (let failed = true; failed && !over(); ) {
    try {
      failed = !(await attempt(dir, over, say));
    } catch (error) {
      say((error as Error).message);
    }
    if (failed) await sleep(PAUSE_MS);
  }
  if (!over()) endHeartbeat(dir);
}

/** @returns whether no limit is left */
async function attempt(dir: string, over: () => boolean, say: (text: string) => void): Promise<boolean> {
  const reader = Journal.attach(dir, false);
  let ledger: Ledger;
  try {
    ledger = ledgerUntil(reader, Number.POSITIVE_INFINITY);
  } finally {
    await reader.close();
  }
  const { originals, session } = ledger;
  if (originals.size === 0 || !session) return true;
  const lifted = await setFree(ledger, over, say);
  if (lifted.length > 0 && !over()) await record(dir, lifted, over, say);
  return over() || lifted.length === originals.size;
}

/** @returns the VMs whose limits are as they were */
async function setFree(
  { originals, session }: Ledger,
  over: () => boolean,
  say: (text: string) => void,
): Promise<string[]> {
  if (!session) return [];
  const control = await LibvirtConnection.open({ uri: session.uri, readOnly: false });
  const lifted: string[] = [];
  try {
    await control.call(
      'allow',
      [...originals.values()].map(({ uuid }) => uuid),
    );
    for (const [vmId, original] of originals) {
      if (over()) break;
      try {
        await restoreOriginal(control, original);
        lifted.push(vmId);
      } catch (error) {
        say(`${vmId}: ${(error as Error).message}`);
      }
    }
  } finally {
    await control.close();
  }
  return lifted;
}

/**
 * Puts back what a session that was killed has set, for a dry run that takes its place. Where that cannot be done, the
 * watchdog, if there is one, goes on trying.
 * @param journal held by the caller
 */
export async function liftLeftovers(
  dir: string,
  journal: Journal,
  say: (text: string) => void,
): Promise<void> {
  const ledger = ledgerUntil(journal, Number.POSITIVE_INFINITY);
  const { originals } = ledger;
  if (originals.size === 0) return;
  const event = (text: string): Entry => ({ kind: 'event', at: Date.now(), event: { kind: 'alarm', text } });
  const names = [...originals.keys()].join(', ');
  try {
    const vmIds = await setFree(ledger, () => false, say);
    if (vmIds.length > 0) {
      const text = `the limits of ${vmIds.join(', ')}, which a session before this dry run had set, were lifted`;
      say(text);
      journal.append({ kind: 'restored', at: Date.now(), vmIds, by: 'a dry run' }, event(text));
    }
    if (vmIds.length === originals.size) endHeartbeat(dir);
  } catch (error) {
    const text = `limits of an earlier session are still set on ${names}: ${(error as Error).message}`;
    say(text);
    journal.append(event(text));
  }
}

async function record(dir: string, vmIds: string[], over: () => boolean, say: (text: string) => void) {
  const by = 'the watchdog';
  say(`the limits of ${vmIds.join(', ')} were lifted`);
  const at = Date.now();
  const text = `the daemon was gone: the limits of ${vmIds.join(', ')} were lifted by the watchdog`;
  const entries: Entry[] = [
    { kind: 'restored', at, vmIds, by },
    { kind: 'event', at, event: { kind: 'alarm', text } },
  ];
  const journal = Journal.attach(dir, true);
  try {
    // A daemon that came in between knows what it found, and may have set limits since.
    journal.appendIf(() => !over(), ...entries);
  } finally {
    await journal.close();
  }
}
