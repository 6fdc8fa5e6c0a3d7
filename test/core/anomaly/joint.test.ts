import { describe, expect, it } from 'vitest';
import { JointSurprise } from '../../../core/anomaly/joint.ts';
import { Rng } from '../../../core/rng.ts';

function joint(): JointSurprise {
  const one = new JointSurprise();
  one.grow(1);
  one.reset(0);
  return one;
}

describe('JointSurprise', () => {
  it('measures errors under their own covariance', () => {
    const one = joint();
    one.step(0, Float64Array.of(1, 0, 0, 0), 0, 0);
    // Nothing learnt yet: the ridge of 0.02 alone, sqrt(1 / 0.02).
    expect(one.distance[0]).toBeCloseTo(Math.sqrt(50), 12);
    one.step(0, Float64Array.of(1, 0, 0, 0), 0, 1);
    // The variance of the first is now 1.
    expect(one.distance[0]).toBeCloseTo(Math.sqrt(1 / 1.02), 12);
  });

  it('sees two resources part that always moved together, though each is in its band', () => {
    const rng = new Rng(3, 'together');
    const one = joint();
    let usual = 0;
    for (let t = 0; t < 3000; t++) {
      const both = 0.5 * rng.normal();
      usual = Math.max(
        usual,
        one.step(
          0,
          Float64Array.of(both + 0.05 * rng.normal(), 0.4 * rng.normal(), 0, both + 0.05 * rng.normal()),
          0,
          t,
        ),
      );
    }
    expect(one.step(0, Float64Array.of(0.9, 0, 0, 0.9), 0, 3000)).toBeLessThan(4);
    expect(one.step(0, Float64Array.of(0.9, 0, 0, -0.9), 0, 3001)).toBeGreaterThan(5);
    expect(one.distance[0]).toBeGreaterThan(6);
  });
});
