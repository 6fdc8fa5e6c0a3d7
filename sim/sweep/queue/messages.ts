import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { codeVersion } from '../../code-version.ts';
import { sha256 } from '../../run-folder.ts';
import type { Outcome } from '../engine.ts';
import type { PointTask } from '../point-task.ts';

/**
 * Two queues, each with delivery at least once: tasks go out through one that all sweeps of a version share,
 * outcomes come back through one of the sweep's own.
 *
 *     sweep -- TaskMessage --> foresize-<code> --> worker -- OutcomeMessage --> foresize-<code>-<reply> --> sweep
 *
 * A task leaves its queue only after its outcome is in the other. A worker that dies before is found out by its
 * silence and its task given to another; one that dies between the two has its run made twice, and the second
 * outcome, the same bytes, changes nothing.
 */
export interface TaskMessage {
  readonly task: PointTask;
  /** Queue the outcome goes to. */
  readonly reply: string;
}

/** Times a run may be left by a worker that died over it, before it counts as failed. */
export const MOST_STALLS = 3;

/** An outcome as JSON: the record in base64. */
export type OutcomeMessage = Omit<Outcome, 'record'> & { readonly record?: string };

/** Workers of other code never see the tasks of this. */
export function taskQueue(): string {
  return `foresize-${codeVersion().replaceAll(/[^\w.-]/g, '-')}`;
}

/** One an experiment and folder: a sweep that is resumed finds what came in meanwhile. */
export function replyQueue(experiment: string, folder: string): string {
  return `${taskQueue()}-${sha256(`${experiment}\n${hostname()}\n${resolve(folder)}`).slice(0, 12)}`;
}

/** Job ids are unique in a queue: adding a task twice leaves one. */
export function taskId(reply: string, id: string): string {
  return `${reply.slice(-12)}-${id}`;
}

export function toMessage(outcome: Outcome): OutcomeMessage {
  return 'record' in outcome
    ? { ...outcome, record: Buffer.from(outcome.record).toString('base64') }
    : outcome;
}

export function fromMessage(message: OutcomeMessage): Outcome {
  const { record, ...rest } = message;
  return (record === undefined ? rest : { ...rest, record: Buffer.from(record, 'base64') }) as Outcome;
}
