import { executeRun, type RunDone, type RunTask } from './execute.ts';
import { threadEntry } from './pool.ts';

/** Entry of a worker thread: one run and its files. */
export default threadEntry<RunTask, RunDone>((task, onProgress) => executeRun(task, { onProgress }));
