import { setTimeout as sleep } from 'node:timers/promises';
import { endHeartbeat, readHeartbeat } from './heartbeat.ts';
import { LibvirtConnection } from './libvirt/connection.ts';
import { restoreOriginal } from './libvirt/originals.ts';
import type { Entry } from './store/entries.ts';
import { Journal } from './store/journal.ts';
import { Ledger } from './store/ledger.ts';

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
  const ledger = new Ledger();
  const reader = Journal.attach(dir, false);
  try {
    for (const { seq, entry } of reader.entries()) ledger.apply(seq, entry);
  } finally {
    await reader.close();
  }
  const { originals, session } = ledger;
  if (originals.size === 0 || !session) return true;
  const control = await LibvirtConnection.open({ uri: session.uri, readOnly: false });
  const lifted: string[] = [];
  try {
    await control.call(
      'allow',
      [...originals.values()].map(({ uuid }) => uuid),
    );
    for (const [vmId, original] of originals) {
      if (over()) return true;
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
  if (lifted.length > 0) await record(dir, lifted, over, say);
  return lifted.length === originals.size;
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
