import { CoreDriver } from './core-driver.ts';
import type { Position, SessionStart } from './store/entries.ts';
import type { Journal } from './store/journal.ts';
import { Ledger } from './store/ledger.ts';

/** The fold over all entries before a number. */
export function ledgerUntil(journal: Journal, until: number): Ledger {
  const ledger = new Ledger();
  for (const { seq, entry } of journal.entries()) {
    if (seq >= until) break;
    ledger.apply(seq, entry);
  }
  return ledger;
}

/**
 * Makes the core anew and lets it live through the journal from where the session's history begins up to its own
 * entry: it sees what was seen, acts on nothing, and takes note of the resizes that were made. Models, baselines and
 * cooldowns are then what they were, and are so again whenever it is done again.
 * @param until number of the session's entry
 * @param onDriver takes the core before it has seen anything
 */
export async function relive(
  journal: Journal,
  session: SessionStart,
  until: number,
  onDriver: (driver: CoreDriver) => void = () => {},
): Promise<CoreDriver> {
  const { history } = session;
  const before = ledgerUntil(journal, history.seq);
  const driver = await CoreDriver.create(session, before.admitted);
  driver.beginWith(modelsOf(journal, session));
  onDriver(driver);
  for (const { number, spec, uuid } of before.roster.values())
    driver.seat(number, { spec, uuid }, history.tick);
  const policies = [...before.policies];
  for (const [applicationId, policy] of policies) {
    await driver.take({ kind: 'policy', at: 0, applicationId, policy, by: '' });
  }
  for (const { seq, entry, frame } of journal.read(history)) {
    if (seq >= until) break;
    if (frame) await driver.tick(frame, false, () => {});
    else if (isInput(entry)) await driver.take(entry);
  }
  return driver;
}

/** The forecast models a session's past begins with. */
function modelsOf(journal: Journal, { models }: SessionStart): readonly unknown[] {
  if (models === undefined) return [];
  for (const { entry } of journal.entries(models)) if (entry.kind === 'models') return entry.documents;
  return [];
}

export function isInput<T extends { kind: string }>(
  entry: T,
): entry is Extract<T, { kind: 'fleet' | 'missed' | 'policy' | 'intents' }> {
  return ['fleet', 'missed', 'policy', 'intents'].includes(entry.kind);
}

/**
 * How far back a new session looks from `tick`: `window` ticks, but not beyond where the journal's memory was lost.
 * Undefined if nothing that recent is there.
 */
export function historyFor(journal: Journal, tick: number, window: number): Position | undefined {
  let begin: Position | undefined;
  for (const { seq, entry } of journal.entries()) {
    if (entry.kind === 'session' && entry.session.history.seq >= seq) begin = entry.session.history;
  }
  if (!begin) return undefined;
  const first = journal.frameFrom(Math.max(begin.tick, tick - window));
  if (!first) return undefined;
  return tick - window <= begin.tick ? begin : { seq: first.seq, tick: first.frame.tick };
}
