import { canonicalJson } from '../canonical-json.ts';
import type { Comparison } from '../result.ts';

/** The whole comparison with sorted keys: equal comparisons have equal bytes. */
export function jsonReport(comparison: Comparison): string {
  return `${canonicalJson(comparison)}\n`;
}
