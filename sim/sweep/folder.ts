import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, ForesizeError, type Problem } from '../../core/errors.ts';
import type { Outcome } from './engine.ts';
import { appendJournal, type JournalEntry, readJournal } from './journal.ts';
import { FolderLock } from './lock.ts';
import type { Plan } from './plan.ts';
import type { PointRecord } from './point-task.ts';
import { RecordStore, writeWhole } from './record-store.ts';

/**
 * A sweep's folder: `plan.json`, one record a finished run under `runs/`, `journal.jsonl`, and the Parquet tables
 * made of them. A record is written under a temporary name and renamed, so what has a run's name is whole; writing
 * it twice changes nothing.
 */
export class SweepFolder {
  readonly path: string;
  readonly plan: Plan;
  readonly #lock: FolderLock | undefined;
  readonly #store: RecordStore;
  readonly #finished = new Set<string>();
  readonly #failures = new Map<string, JournalEntry>();
  /** SHA-256 by what a trace was read with. */
  readonly #traces = new Map<string, string>();

  private constructor(path: string, plan: Plan, lock?: FolderLock) {
    this.path = path;
    this.plan = plan;
    this.#lock = lock;
    this.#store = storeIn(path);
    const known = new Set(plan.points.map((point) => point.id));
    for (const id of this.#store.ids()) if (known.has(id)) this.#finished.add(id);
    for (const entry of readJournal(this.journal)) {
      if (entry.trace && !this.#traces.has(entry.trace.source)) {
        this.#traces.set(entry.trace.source, entry.trace.sha256);
      }
      if (entry.ok) this.#failures.delete(entry.id);
      else if (!this.#finished.has(entry.id)) this.#failures.set(entry.id, entry);
    }
  }

  /**
   * Takes a folder for a sweep: a new one, or with `resume` the one it was begun in.
   * @throws ForesizeError SWEEP_FOLDER_BUSY, SWEEP_FOLDER_OTHER, SWEEP_FOLDER_CODE, SWEEP_FOLDER_USED, SWEEP_UNWRITABLE
   */
  static async take(path: string, plan: Plan, resume: boolean): Promise<SweepFolder> {
    try {
      storeIn(path).create();
    } catch (cause) {
      throw unwritable(path, cause);
    }
    const lock = await guarded(path, () => FolderLock.take(path));
    try {
      const present = readPlan(path);
      if (present) {
        SweepFolder.requireSame(path, present, plan);
        if (!resume) throw used(path);
      } else writeWhole(join(path, 'plan.json'), `${JSON.stringify(plan)}\n`);
      const folder = new SweepFolder(path, plan, lock);
      if (resume) folder.#dropBroken();
      return folder;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /**
   * Opens the folder of a sweep to read it; it may be running.
   * @throws ForesizeError SWEEP_FOLDER_NONE
   */
  static open(path: string): SweepFolder {
    const plan = readPlan(path);
    if (plan) return new SweepFolder(path, plan);
    throw new ForesizeError({
      code: 'SWEEP_FOLDER_NONE',
      what: 'the folder holds no sweep',
      where: path,
      remedy: 'name the folder that --out of `foresize sweep` named',
    });
  }

  /** @throws ForesizeError SWEEP_FOLDER_CODE, SWEEP_FOLDER_OTHER */
  static requireSame(path: string, present: Plan, plan: Plan): void {
    if (present.version !== plan.version) {
      throw new ForesizeError({
        code: 'SWEEP_FOLDER_CODE',
        what: `the folder holds results of foresize ${present.version}, not of ${plan.version}`,
        where: path,
        remedy: 'sweep into a new folder; results of different code are never mixed',
      });
    }
    if (present.id !== plan.id) {
      throw new ForesizeError({
        code: 'SWEEP_FOLDER_OTHER',
        what: `the folder holds another sweep, '${present.name}' of ${present.points.length} points`,
        where: path,
        remedy: 'choose another folder with --out',
      });
    }
  }

  get runs(): string {
    return this.#store.path;
  }

  get journal(): string {
    return join(this.path, 'journal.jsonl');
  }

  /** Ids of finished runs. */
  get finished(): ReadonlySet<string> {
    return this.#finished;
  }

  /** The last failure of every run that has not succeeded since. */
  get failures(): ReadonlyMap<string, JournalEntry> {
    return this.#failures;
  }

  recordFile(id: string): string {
    return this.#store.file(id);
  }

  record(id: string): PointRecord {
    return this.#store.read(id);
  }

  /**
   * Keeps an outcome. The second of the same run changes nothing.
   * @throws ForesizeError SWEEP_UNWRITABLE
   */
  put(outcome: Outcome): void {
    const { id, worker } = outcome;
    if (this.#finished.has(id)) return;
    const entry = { id, at: new Date().toISOString(), worker };
    const problems = 'problems' in outcome ? outcome.problems : this.#otherTrace(outcome.trace);
    try {
      if (problems) {
        const failure: JournalEntry = { ...entry, ok: false, problems };
        appendJournal(this.journal, [failure]);
        this.#failures.set(id, failure);
        return;
      }
      if ('problems' in outcome) return;
      this.#store.write(id, outcome.record);
      this.#finished.add(id);
      this.#failures.delete(id);
      const { trace, wallSeconds } = outcome;
      appendJournal(this.journal, [{ ...entry, ok: true, wallSeconds, ...(trace && { trace }) }]);
    } catch (cause) {
      throw unwritable(this.path, cause);
    }
  }

  /** Takes over what another folder of the same plan has finished, and its failures. */
  adopt(other: SweepFolder): void {
    try {
      const entries = readJournal(other.journal).filter(({ id, ok }) => !(ok && this.#finished.has(id)));
      for (const id of other.finished) {
        if (this.#finished.has(id)) continue;
        this.#store.write(id, readFileSync(other.recordFile(id)));
        this.#finished.add(id);
        this.#failures.delete(id);
      }
      for (const entry of entries) {
        if (!entry.ok && !this.#finished.has(entry.id)) this.#failures.set(entry.id, entry);
      }
      if (entries.length > 0) appendJournal(this.journal, entries);
    } catch (cause) {
      throw unwritable(this.path, cause);
    }
  }

  release(): void {
    this.#lock?.release();
  }

  /** One trace must have the same bytes in every run, whichever machine read it. */
  #otherTrace(trace: { source: string; sha256: string } | null): readonly Problem[] | undefined {
    if (!trace) return undefined;
    const known = this.#traces.get(trace.source);
    if (known === undefined) this.#traces.set(trace.source, trace.sha256);
    if (known === undefined || known === trace.sha256) return undefined;
    return [
      {
        code: 'SWEEP_TRACE_DIFFERS',
        what: `the trace has the hash ${trace.sha256.slice(0, 12)}, earlier runs of the sweep read ${known.slice(0, 12)}`,
        where: trace.source,
        remedy: 'give every machine the same files; after a trace has changed, sweep into a new folder',
      },
    ];
  }

  /** What a crash of the machine left damaged is run again. */
  #dropBroken(): void {
    for (const id of this.#finished) {
      if (this.#store.isWhole(id)) continue;
      this.#store.remove(id);
      this.#finished.delete(id);
    }
  }
}

function storeIn(path: string): RecordStore {
  return new RecordStore(join(path, 'runs'));
}

export function readPlan(path: string): Plan | undefined {
  const file = join(path, 'plan.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Plan) : undefined;
}

function used(path: string): ForesizeError {
  return new ForesizeError({
    code: 'SWEEP_FOLDER_USED',
    what: 'the sweep was already begun in the folder',
    where: path,
    remedy: 'add --resume to run what is missing, or choose another folder with --out',
  });
}

async function guarded<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    if (cause instanceof ForesizeError) throw cause;
    throw unwritable(path, cause);
  }
}

export function unwritable(path: string, cause: unknown): ForesizeError {
  return new ForesizeError(
    {
      code: 'SWEEP_UNWRITABLE',
      what: `the sweep's files cannot be written: ${(cause as Error).message}`,
      where: path,
      remedy: 'make room, then carry on with --resume: what is finished is kept',
    },
    EXIT.runtime,
    cause,
  );
}
