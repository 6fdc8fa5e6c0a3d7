import { EXIT, ForesizeError } from '../../core/errors.ts';
import type { Engine } from '../sweep/engine.ts';
import type { PointRecord, PointTask } from '../sweep/point-task.ts';
import { workloadKey } from '../sweep/point-task.ts';
import type { RecordStore } from '../sweep/record-store.ts';

/** Runs points, unless a record of the same content is there, and gives their records. */
export class Evaluator {
  readonly #store: RecordStore;
  readonly #engine: Engine;
  readonly #signal: AbortSignal | undefined;
  readonly #onRun: (done: number) => void;
  readonly #seen = new Set<string>();

  constructor(
    store: RecordStore,
    engine: Engine,
    signal: AbortSignal | undefined,
    onRun: (done: number) => void,
  ) {
    this.#store = store;
    this.#engine = engine;
    this.#signal = signal;
    this.#onRun = onRun;
  }

  /** @throws ForesizeError TUNE_RUN_FAILED: what is finished is kept */
  async run(tasks: readonly PointTask[]): Promise<void> {
    const missing = new Map<string, PointTask>();
    for (const task of tasks) {
      if (this.#seen.has(task.id)) continue;
      if (this.#store.isWhole(task.id)) this.#count(task.id);
      else missing.set(task.id, task);
    }
    if (missing.size === 0) return;
    // Those of one workload together, so that a thread opens it once.
    const ordered = [...missing.values()]
      .map((task) => ({ task, key: workloadKey(task.scenario, task.baseDir) }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
      .map(({ task }) => task);
    await this.#engine.run(
      ordered,
      (outcome) => {
        if ('problems' in outcome) {
          const [first] = outcome.problems;
          throw new ForesizeError(
            {
              code: 'TUNE_RUN_FAILED',
              what: `a run failed: ${first?.code}: ${first?.what}`,
              where: first?.where ?? `run ${outcome.id}`,
              remedy: first?.remedy ?? 'correct it and tune again: what is finished is kept',
            },
            EXIT.runtime,
          );
        }
        this.#store.write(outcome.id, outcome.record);
        this.#count(outcome.id);
      },
      this.#signal,
    );
  }

  #count(id: string): void {
    this.#seen.add(id);
    this.#onRun(this.#seen.size);
  }

  record(id: string): PointRecord {
    return this.#store.read(id);
  }
}
