import type { Bootstrapped } from './bca.ts';
import { bootstrapped } from './bca.ts';
import { dayStageVariance, type Resamples, type VmDayMatrix, vmTotals } from './two-stage.ts';

/**
 * Bootstrap distribution of a ratio of sums, column `numerator` over column `denominator`. null when the
 * denominators sum to 0.
 *
 * Resampling both VMs and days counts the days' noise twice, since a VM's mean already carries its own. So the
 * VM stage is shrunk until the two stages together have the variance that the VMs' residuals show, with
 * n/(n - 1) for having estimated the ratio (Davison & Hinkley 1997, 3.8; Ng, Grieve & Carpenter 2013, "Two-stage
 * nonparametric bootstrap sampling with shrinkage correction for clustered data", Stata Journal 13). The
 * residual of a row is numerator - ratio * denominator; they sum to 0, and a resample's ratio is exactly
 * ratio + residuals / denominators.
 */
export function bootstrapRatio(
  matrix: VmDayMatrix,
  resamples: Resamples,
  numerator: number,
  denominator: number,
): Bootstrapped | null {
  const { vms, columns, values } = matrix;
  const totals = vmTotals(matrix);
  let sumN = 0;
  let sumD = 0;
  for (let v = 0; v < vms; v++) {
    sumN += totals[v * columns + numerator]!;
    sumD += totals[v * columns + denominator]!;
  }
  if (!(sumD > 0)) return null;
  const estimate = sumN / sumD;

  const residuals = new Float64Array(values.length / columns);
  for (let row = 0; row < residuals.length; row++)
    residuals[row] = values[row * columns + numerator]! - estimate * values[row * columns + denominator]!;
  let squares = 0;
  for (let v = 0; v < vms; v++) {
    const residual = totals[v * columns + numerator]! - estimate * totals[v * columns + denominator]!;
    squares += residual * residual;
  }
  const wanted = vms > 1 ? (squares * vms) / (vms - 1) - dayStageVariance(matrix, residuals) : 0;
  const shrink = squares > 0 && wanted > 0 ? Math.sqrt(wanted / squares) : 0;

  const replicates = new Float64Array(resamples.count);
  for (let b = 0; b < resamples.count; b++) {
    const n = b * columns + numerator;
    const d = b * columns + denominator;
    const ofVms = resamples.ofVms[n]! - estimate * resamples.ofVms[d]!;
    const drawn = resamples.drawn[n]! - estimate * resamples.drawn[d]!;
    const residual = drawn + (shrink - 1) * ofVms;
    const size = resamples.drawn[d]!;
    // No denominator in this resample: the ratio is beyond all bounds on the side of its numerator.
    replicates[b] =
      size > 0 ? estimate + residual / size : residual === 0 ? estimate : residual * Number.POSITIVE_INFINITY;
  }

  const jackknife = new Float64Array(vms);
  for (let v = 0; v < vms; v++) {
    const rest = sumD - totals[v * columns + denominator]!;
    jackknife[v] = rest > 0 ? (sumN - totals[v * columns + numerator]!) / rest : estimate;
  }
  return bootstrapped(estimate, replicates, jackknife);
}
