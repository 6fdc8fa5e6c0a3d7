import { ForesizeError } from '../core/errors.ts';
import type { OperationsEvent } from './operations.ts';
import type { Entry } from './store/entries.ts';
import type { Appendix, Journal } from './store/journal.ts';
import { Ledger } from './store/ledger.ts';

type EventBody = Omit<OperationsEvent, 'seq' | 'at'>;

/** Entries that are kept for later while the journal cannot be written; beyond that, only decisions are. */
const MOST_OWED = 1000;

/**
 * The daemon's hand on the journal: what is appended is on the disk, then in the ledger, then with whoever listens.
 * What has already happened while the disk was full is owed, and goes in front of the next that can be written.
 */
export class Book {
  readonly journal: Journal;
  readonly ledger = new Ledger();
  readonly #now: () => number;
  readonly #listeners = new Set<(event: OperationsEvent) => void>();
  #owed: Entry[] = [];
  /** The newest item that is in the ledger. */
  #seen: number;

  /** Reads the journal's entries. */
  constructor(journal: Journal, now: () => number) {
    this.journal = journal;
    this.#now = now;
    for (const { seq, entry } of journal.entries()) this.ledger.apply(seq, entry);
    this.#seen = journal.seq;
  }

  /** What waits for a disk with room. */
  get owed(): number {
    return this.#owed.length;
  }

  /** @throws ForesizeError JOURNAL_FULL, JOURNAL_UNWRITABLE; then none of it is written */
  append(...items: readonly Appendix[]): void {
    const owed = this.#owed;
    if (owed.length + items.length === 0) return;
    const first = this.journal.append(...owed, ...items);
    this.#owed = [];
    this.#takeOthers(first);
    this.#seen = first + owed.length + items.length - 1;
    items.forEach((item, i) => {
      if (!('kind' in item)) return;
      const seq = first + owed.length + i;
      this.ledger.apply(seq, item);
      if (item.kind === 'event') this.#tell({ seq, at: item.at, ...item.event });
    });
  }

  /** What somebody else wrote in the meantime: a watchdog of an earlier session that has lifted limits. */
  #takeOthers(until: number): void {
    if (this.#seen + 1 >= until) return;
    for (const { seq, entry } of this.journal.entries(this.#seen + 1)) {
      if (seq >= until) return;
      this.ledger.apply(seq, entry);
      if (entry.kind === 'event') this.#tell({ seq, at: entry.at, ...entry.event });
    }
  }

  /** For what has happened, whether it can be written down now or not. */
  happened(...entries: readonly Entry[]): void {
    try {
      this.append(...entries);
    } catch (error) {
      if (!(error instanceof ForesizeError)) throw error;
      for (const entry of entries) {
        // It is so all the same, and whoever listens is told.
        this.ledger.apply(this.journal.seq, entry);
        if (entry.kind === 'event') this.passing(entry.event);
        if (entry.kind !== 'event' || this.#owed.length < MOST_OWED) this.#owed.push(entry);
      }
    }
  }

  /** Something an administrator may want to know of, kept in the journal. */
  event(body: EventBody): void {
    this.happened({ kind: 'event', at: this.#now(), event: body });
  }

  /** The same, for what is of the moment only. */
  passing(body: EventBody): void {
    this.#tell({ seq: this.journal.seq, at: this.#now(), ...body });
  }

  subscribe(listener: (event: OperationsEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: OperationsEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
