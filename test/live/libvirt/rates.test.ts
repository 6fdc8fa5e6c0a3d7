import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { increment, MonotoneSum } from '../../../live/libvirt/rates.ts';

describe('increment', () => {
  it('is the difference while the counter grows', () => {
    expect(increment(10, 10)).toBe(0);
    expect(increment(10, 25)).toBe(15);
  });

  it('counts from 0 after a reset', () => {
    expect(increment(5_000_000, 300)).toBe(300);
    // Beyond 32 bits nothing wraps at 2^32.
    expect(increment(2 ** 33, 300)).toBe(300);
  });

  it('goes on through a wrap at 2^32: 96 up to it and 4 from it', () => {
    expect(increment(2 ** 32 - 96, 4)).toBe(100);
  });
});

describe('MonotoneSum', () => {
  it('starts at 0 whatever the counters stood at, and adds what each grew by', () => {
    const sum = new MonotoneSum();
    expect(sum.observe({ vda: 1000, vdb: 50 }, false)).toBe(0);
    expect(sum.observe({ vda: 1010, vdb: 55 }, false)).toBe(15);
  });

  it('takes a device that is plugged in from 0, and one that is pulled out as it left', () => {
    const sum = new MonotoneSum();
    sum.observe({ vda: 1000 }, false);
    expect(sum.observe({ vda: 1000, vdb: 70 }, false)).toBe(70);
    expect(sum.observe({ vda: 1005 }, false)).toBe(75);
  });

  it('counts from 0 after a reboot, even if the new counter has passed the old one', () => {
    const sum = new MonotoneSum();
    sum.observe({ vda: 100 }, false);
    expect(sum.observe({ vda: 130 }, true)).toBe(130);
  });

  it('knows nothing of a reading that failed, and loses nothing by it', () => {
    const sum = new MonotoneSum();
    sum.observe({ vda: 100 }, false);
    expect(sum.observe({}, false)).toBeNaN();
    expect(sum.observe({ vda: 160 }, false)).toBe(60);
  });

  it('a reboot seen in a reading that failed still counts', () => {
    const sum = new MonotoneSum();
    sum.observe({ vda: 100 }, false);
    expect(sum.observe({}, true)).toBeNaN();
    expect(sum.observe({ vda: 160 }, false)).toBe(160);
  });

  it('never falls, whatever the counters do', () => {
    const reading = fc.record({
      counters: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat({ max: 2 ** 34 })),
      rebooted: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(reading), (readings) => {
        const sum = new MonotoneSum();
        let before = 0;
        for (const { counters, rebooted } of readings) {
          const total = sum.observe(counters, rebooted);
          if (Number.isNaN(total)) continue;
          expect(total).toBeGreaterThanOrEqual(before);
          before = total;
        }
      }),
    );
  });
});
