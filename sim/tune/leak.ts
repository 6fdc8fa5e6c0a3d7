import { parseDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';
import type { Scenario } from '../scenario.ts';
import { workloadKey } from '../sweep/point-task.ts';

/**
 * A workload that was trained on says nothing when it is kept back: the same generated demand, or a trace whose
 * windows overlap.
 * @throws ForesizeError TUNE_LEAK
 */
export function requireApart(
  train: readonly Scenario[],
  holdout: readonly Scenario[],
  place: (part: 'holdout', index: number) => string,
): void {
  holdout.forEach((kept, i) => {
    const seen = train.findIndex((other) => overlap(other, kept));
    if (seen < 0) return;
    throw new ForesizeError({
      code: 'TUNE_LEAK',
      what: `the workload is also trained on, as the ${seen + 1}. of train`,
      where: place('holdout', i),
      remedy: 'keep back another trace, another window of it (from, duration), or another seed',
    });
  });
}

function overlap(a: Scenario, b: Scenario): boolean {
  if (a.workload.source !== 'trace' || b.workload.source !== 'trace') {
    return workloadKey(a, '') === workloadKey(b, '');
  }
  if (a.workload.path !== b.workload.path) return false;
  const [fromA, toA] = windowOf(a);
  const [fromB, toB] = windowOf(b);
  return fromA < toB && fromB < toA;
}

function windowOf({ workload, duration }: Scenario): [number, number] {
  const from = workload.source === 'trace' ? parseDuration(workload.from) : 0;
  return [from, duration === undefined ? Number.POSITIVE_INFINITY : from + parseDuration(duration)];
}
