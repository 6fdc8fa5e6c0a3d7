import { describe, expect, it } from 'vitest';
import { accountJoint, accountResource, sentence } from '../../../core/anomaly/explain.ts';
import { Surprise, V } from '../../../core/anomaly/surprise.ts';
import { CPU, NETWORK, R } from '../../../core/model.ts';

/** A surprise of one slot whose bands are 80..120 about 100, with excess as given. */
function banded(excess: readonly number[]): Surprise {
  const surprise = new Surprise();
  surprise.grow(R);
  for (let r = 0; r < R; r++) {
    surprise.reset(r);
    surprise.seen[r] = 1000;
    surprise.median[r] = 100;
    surprise.lower[r] = 80;
    surprise.upper[r] = 120;
    surprise.excess[r] = excess[r]!;
  }
  return surprise;
}

describe('explanations', () => {
  it('give the multiple of the quantile, the ticks, and the other resources', () => {
    const usage = Float64Array.of(100, 100, 150, 14 * 120);
    const account = accountResource(banded([0, 0, 2.5, 79]), usage, 0, NETWORK);
    expect(sentence(account, 3)).toBe(
      'network 14 x its 99 % quantile for 3 ticks; disk I/O 1.3 x its 99 % quantile; CPU and memory normal',
    );
    expect(sentence(account, 1)).toMatch(/ for 1 tick;/);
  });

  it('say what is low or at 0, and leave out what is not measured', () => {
    const usage = Float64Array.of(0, 60, Number.NaN, 100);
    expect(sentence(accountResource(banded([-20, -2, 0, 0]), usage, 0, CPU), 12)).toBe(
      'CPU at 0 for 12 ticks; memory 0.75 x its 1 % quantile; network normal',
    );
  });

  it('name the view that stands out when usage is inside its band', () => {
    const surprise = banded([0.5, 0, 0, 0]);
    const usage = Float64Array.of(110, 100, 100, 100);
    const named = (view: number) => {
      surprise.parts.fill(0, 0, V);
      surprise.parts[view] = 9;
      return sentence(accountResource(surprise, usage, 0, CPU), 2);
    };
    expect(named(0)).toMatch(/^CPU at 110 cores, which it never was; memory/);
    expect(named(1)).toMatch(/^level of CPU moved from 0 to 0 cores; /);
    expect(named(2)).toMatch(/^CPU jumped to 110 cores; /);
    expect(named(3)).toMatch(/^CPU moves less or more than it used to; /);
    expect(named(5)).toMatch(/^CPU at 110 cores for 100 expected; /);
  });

  it('tell a joint event by who is outside, or by how the resources part', () => {
    const usage = Float64Array.of(115, 100, 100, 85);
    expect(sentence(accountJoint(banded([0.75, 0, 0, -0.75]), usage, 0), 5)).toBe(
      'resources do not move together as usual: CPU +0.8, memory 0.0, disk I/O 0.0, network -0.8 of the way to their 99 % or 1 % quantile',
    );
    const off = Float64Array.of(150, 100, 100, 40);
    expect(sentence(accountJoint(banded([2.5, 0, 0, -3]), off, 0), 5)).toBe(
      'resources together: CPU 1.3 x its 99 % quantile, network 0.5 x its 1 % quantile',
    );
  });
});
