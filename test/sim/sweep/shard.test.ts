import { describe, expect, it } from 'vitest';
import { inShard, parseShard, shardFolder } from '../../../sim/sweep/shard.ts';
import { problemOf } from './fixture.ts';

describe('shard', () => {
  it.each([
    ['2/8', {}, 2, 8],
    ['auto/8', { JOB_COMPLETION_INDEX: '0' }, 1, 8],
    ['auto/8', { JOB_COMPLETION_INDEX: '7' }, 8, 8],
    ['auto/8', { SLURM_ARRAY_TASK_ID: '3' }, 3, 8],
    ['auto', { SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_COUNT: '4' }, 3, 4],
    ['auto', { SLURM_ARRAY_TASK_ID: '0', SLURM_ARRAY_TASK_MIN: '0', SLURM_ARRAY_TASK_COUNT: '4' }, 1, 4],
    [
      'auto',
      {
        SLURM_ARRAY_TASK_ID: '6',
        SLURM_ARRAY_TASK_MIN: '0',
        SLURM_ARRAY_TASK_STEP: '2',
        SLURM_ARRAY_TASK_COUNT: '4',
      },
      4,
      4,
    ],
  ])('%s with %j', (text, env, index, count) => {
    expect(parseShard(text, env)).toEqual({ index, count });
  });

  it.each([
    ['0/8', {}],
    ['9/8', {}],
    ['3', {}],
    ['x/2', {}],
    ['auto/8', {}],
    ['auto', { JOB_COMPLETION_INDEX: '1' }],
    ['auto/8', { JOB_COMPLETION_INDEX: '8' }],
    ['auto/8', { SLURM_ARRAY_TASK_ID: '0' }],
    ['auto', { SLURM_ARRAY_TASK_ID: '5' }],
  ])('refuses %s with %j', async (text, env) => {
    expect((await problemOf(() => parseShard(text, env))).code).toBe('SHARD_INVALID');
  });

  it('shares runs out, each to one', () => {
    const shards = [1, 2, 3].map((index) => ({ index, count: 3 }));
    for (let position = 0; position < 20; position++) {
      expect(shards.filter((shard) => inShard(shard, position))).toHaveLength(1);
    }
    expect(inShard(undefined, 5)).toBe(true);
    expect(shardFolder({ index: 2, count: 3 })).toBe('shard-2-of-3');
  });
});
