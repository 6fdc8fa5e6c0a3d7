/** One rung of the search: so many candidates on so many of the training workloads. */
export interface Rung {
  readonly candidates: number;
  readonly workloads: number;
}

/**
 * Successive halving (Jamieson & Talwalkar 2016): many candidates on a few workloads, then of `eta` one on `eta`
 * times as many, until the last rung sees all. The plan depends on the counts alone, so every policy gets the same.
 */
export function rungs(candidates: number, workloads: number, eta: number): Rung[] {
  const steps = Math.min(wholeLog(candidates, eta), wholeLog(workloads, eta));
  const plan: Rung[] = [];
  let left = candidates;
  for (let step = steps; step >= 0; step--) {
    plan.push({ candidates: left, workloads: Math.ceil(workloads / eta ** step) });
    left = Math.ceil(left / eta);
  }
  return plan;
}

/** Simulations the plan takes: a candidate's earlier workloads need not be run again. */
export function runsOf(plan: readonly Rung[]): number {
  let runs = 0;
  let before = 0;
  for (const { candidates, workloads } of plan) {
    runs += candidates * (workloads - before);
    before = workloads;
  }
  return runs;
}

/** The largest n with base^n <= x. */
function wholeLog(x: number, base: number): number {
  let n = 0;
  for (let power = base; power <= x; power *= base) n++;
  return n;
}
