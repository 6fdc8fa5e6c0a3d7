import { ForesizeError, type Problem } from '../../core/errors.ts';
import type { PointDone, PointTask } from './point-task.ts';

/** How a point ended: with a record, or with what was wrong. */
export type Outcome = { readonly id: string; readonly worker: string } & (
  | PointDone
  | { readonly problems: readonly Problem[] }
);

/** Does the points of a sweep somewhere: on threads here, or on other machines by way of a queue. */
export interface Engine {
  /**
   * Hands every point's outcome to `sink`, in any order, at least once. A point that fails is an outcome; the
   * promise rejects when the engine or the sink fails, or with the signal's reason.
   * @param tasks made one by one, when there is room for one more
   */
  run(
    tasks: Iterable<PointTask>,
    sink: (outcome: Outcome) => Promise<void> | void,
    signal?: AbortSignal,
  ): Promise<void>;
}

/** What was wrong, for the record: the problems of an error a user can act on, else its message. */
export function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof ForesizeError) return error.problems;
  const { message, code } = error as Error & { code?: string };
  return [
    {
      code: code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'RUN_OUT_OF_MEMORY' : 'RUN_CRASHED',
      what: message ?? String(error),
      remedy: 'run the point alone to see more; with --resume --retry it is tried again',
    },
  ];
}
