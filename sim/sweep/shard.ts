import { ForesizeError } from '../../core/errors.ts';

/** One part of a sweep: every `count`-th run from the `index`-th on, index from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `2/8` is the second of eight. `auto/8` takes the index from a Slurm array (`--array=1-8`) or a Kubernetes Indexed
 * Job (completions: 8), and `auto` in a Slurm array the count as well.
 * @throws ForesizeError SHARD_INVALID
 */
export function parseShard(text: string, env: Environment): Shard {
  const match = /^(auto|\d+)(?:\/(\d+))?$/.exec(text);
  if (!match || (match[1] !== 'auto' && match[2] === undefined)) {
    throw invalid(`'${text}' names no shard`, 'write 2/8, or auto/8 under Slurm or Kubernetes');
  }
  const given = match[2] === undefined ? undefined : Number(match[2]);
  const shard = match[1] === 'auto' ? automatic(given, env) : { index: Number(match[1]), count: given ?? 0 };
  if (!(shard.index >= 1 && shard.index <= shard.count)) {
    throw invalid(
      `shard ${shard.index} of ${shard.count} does not exist`,
      'count from 1: sbatch --array=1-8 with --shard auto/8, or completions: 8 in Kubernetes',
    );
  }
  return shard;
}

/** Name of the folder below the sweep's own. */
export function shardFolder({ index, count }: Shard): string {
  return `shard-${index}-of-${count}`;
}

export function inShard(shard: Shard | undefined, position: number): boolean {
  return !shard || position % shard.count === shard.index - 1;
}

function automatic(given: number | undefined, env: Environment): Shard {
  const kubernetes = env['JOB_COMPLETION_INDEX'];
  if (kubernetes !== undefined) {
    if (given === undefined) throw invalid('Kubernetes does not tell the number of shards', 'write auto/8');
    return { index: Number(kubernetes) + 1, count: given };
  }
  const slurm = env['SLURM_ARRAY_TASK_ID'];
  if (slurm === undefined) {
    throw invalid(
      'neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set',
      'run it in a Slurm array or a Kubernetes Indexed Job, or write 2/8',
    );
  }
  if (given !== undefined) return { index: Number(slurm), count: given };
  const number = (name: string, otherwise: number) => Number(env[name] ?? otherwise);
  const step = number('SLURM_ARRAY_TASK_STEP', 1);
  return {
    index: (Number(slurm) - number('SLURM_ARRAY_TASK_MIN', 1)) / step + 1,
    count: number('SLURM_ARRAY_TASK_COUNT', 0),
  };
}

function invalid(what: string, remedy: string): ForesizeError {
  return new ForesizeError({ code: 'SHARD_INVALID', what, where: '--shard', remedy });
}
