import { ForesizeError } from '../../core/errors.ts';
import type { PairedDifference } from '../result.ts';

export interface NonInferiority {
  margin: number;
  /** Upper confidence bound of policy - baseline; null where there is no interval. */
  bound: number | null;
  /** One-sided level of `bound`: 0.975 for a two-sided interval of 0.95. */
  level: number;
  /** The policy is worse than the baseline by less than the margin, at that level. */
  holds: boolean;
}

/**
 * Is the policy at most `margin` worse than the baseline, where less is better (cost, violations)? Yes when the
 * upper bound of the difference is below the margin. `margin` is in the unit of `paired.difference` and must
 * be stated before the figures are seen.
 */
export function nonInferiority(paired: PairedDifference, margin: number): NonInferiority {
  if (!(margin > 0 && margin < Number.POSITIVE_INFINITY))
    throw new ForesizeError({
      code: 'COMPARE_MARGIN',
      what: `The margin of a non-inferiority test must be a number above 0, not ${margin}.`,
      where: paired.measure,
      remedy: `State how much worse than ${paired.baseline} is still acceptable, in ${paired.unit}.`,
    });
  return {
    margin,
    bound: paired.high,
    level: (1 + paired.level) / 2,
    holds: paired.high !== null && paired.high < margin,
  };
}
