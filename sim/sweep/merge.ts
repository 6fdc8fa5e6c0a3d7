import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ForesizeError } from '../../core/errors.ts';
import { collect } from './collect.ts';
import { readPlan, SweepFolder, unwritable } from './folder.ts';

export interface Merged {
  readonly folders: readonly string[];
  readonly finished: number;
  readonly failed: number;
  /** Runs of the plan that none of the folders has. */
  readonly missing: number;
}

/**
 * Brings the shards of a sweep together in one folder and makes its tables. Merging again, or a shard that is still
 * running, does no harm: what is there by then is taken.
 * @param sources folders of shards; those below `target` when left out
 * @throws ForesizeError SWEEP_FOLDER_NONE, SWEEP_FOLDER_OTHER, SWEEP_FOLDER_CODE, SWEEP_FOLDER_BUSY
 */
export async function mergeShards(target: string, sources: readonly string[]): Promise<Merged> {
  const folders = sources.length > 0 ? [...sources] : shardsBelow(target);
  const first = folders[0] === undefined ? readPlan(target) : readPlan(folders[0]);
  if (!first) {
    throw new ForesizeError({
      code: 'SWEEP_FOLDER_NONE',
      what: folders[0] === undefined ? 'the folder has no shards' : 'the folder holds no sweep',
      where: folders[0] ?? target,
      remedy: 'name the folder that the shards were swept into, or the folders of the shards',
    });
  }
  try {
    mkdirSync(target, { recursive: true });
  } catch (cause) {
    throw unwritable(target, cause);
  }
  const into = await SweepFolder.take(target, first, true);
  try {
    for (const folder of folders) {
      const from = SweepFolder.open(folder);
      SweepFolder.requireSame(folder, from.plan, first);
      into.adopt(from);
    }
    await collect(into);
    const runs = new Set(first.points.map(({ id }) => id)).size;
    const finished = into.finished.size;
    const failed = into.failures.size;
    return { folders, finished, failed, missing: runs - finished - failed };
  } finally {
    into.release();
  }
}

function shardsBelow(target: string): string[] {
  if (!existsSync(target)) return [];
  return readdirSync(target)
    .filter((name) => /^shard-\d+-of-\d+$/.test(name))
    .sort()
    .map((name) => join(target, name));
}
