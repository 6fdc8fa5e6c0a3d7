import { threadEntry } from '../pool.ts';
import { type PointDone, PointRunner, type PointTask } from './point-task.ts';

const runner = new PointRunner();

/** Entry of a worker thread: one point of a sweep. */
export default threadEntry<PointTask, PointDone>((task, onProgress) => runner.run(task, onProgress));
