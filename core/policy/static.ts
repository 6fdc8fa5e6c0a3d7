import type { Policy } from './types.ts';

/** Keeps the allocation as requested: what a fleet costs when nobody resizes. */
export function createStatic(): Policy {
  return { name: 'static', grow() {}, admit() {}, decide() {} };
}
