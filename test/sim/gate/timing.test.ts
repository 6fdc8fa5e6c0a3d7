import { describe, expect, it } from 'vitest';
import { referenceLoop } from '../../../sim/gate/reference-loop.ts';
import { Stopwatch } from '../../../sim/gate/timing.ts';

describe('stopwatch', () => {
  it('takes the fastest of each, timed in turns', async () => {
    // Reference 2, work 9, reference 3, work 8, ... : what each takes, in seconds.
    const takes = [2, 9, 3, 8, 2.5, 7, 1.5, 12];
    let now = 0;
    const order: string[] = [];
    const spend = (what: string) => {
      order.push(what);
      now += takes[order.length - 1]!;
    };
    const stopwatch = new Stopwatch(
      () => now,
      () => spend('reference'),
    );
    const work = async () => spend('work');
    await stopwatch.more(3, work);
    expect(order).toEqual(['reference', 'work', 'reference', 'work', 'reference', 'work']);
    expect(stopwatch.ratio).toBe(7 / 2);
    await stopwatch.more(1, work);
    expect(stopwatch.ratio).toBe(7 / 1.5);
  });

  it('has a reference that is the same work every time', () => {
    expect(referenceLoop()).toBe(referenceLoop());
    expect(referenceLoop()).toBeGreaterThan(0);
  });
});
