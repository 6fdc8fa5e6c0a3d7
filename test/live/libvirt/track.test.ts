import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Track } from '../../../live/libvirt/track.ts';
import { reading } from './samples.ts';

const T = 1_795_558_908_000;

describe('Track', () => {
  it('tells rates between two samples: 3 s of CPU in 10 s are 0.3 cores', () => {
    const track = new Track();
    track.add(reading({}, T));
    const first = track.take(T)!;
    expect(first.usage[0]).toBeNaN();
    expect(first.granted.cpu).toBe(2);

    track.add(
      reading(
        {
          'cpu.time': 33e9,
          // 2.8 s run and 0.7 s waited: of 3.5 s wanted a fifth was held back.
          'vcpu.0.time': 22e9,
          'vcpu.2.time': 8.8e9,
          'vcpu.0.delay': 5.6e9,
          'vcpu.2.delay': 1.1e9,
          'block.0.wr.bytes': 8192 + 500_000,
          'block.1.rd.bytes': 1 + 300_000,
          'net.0.rx.bytes': 1000 + 70_000,
          'net.0.tx.bytes': 2000 + 90_000,
          'net.0.rx.pkts': 10 + 30,
          'net.0.tx.pkts': 20 + 60,
          'net.0.rx.drop': 1 + 10,
        },
        T + 10_000,
      ),
    );
    const { usage, pressure, sampledAt } = track.take(T + 10_000)!;
    expect(sampledAt).toBe(T + 10_000);
    expect(usage[0]).toBeCloseTo(0.3, 12);
    expect(pressure[0]).toBeCloseTo(0.2, 12);
    expect(usage[2]).toBeCloseTo(80_000, 9);
    // The busier direction: 90000 bytes in 10 s. 10 of 100 packets were dropped.
    expect(usage[3]).toBeCloseTo(9_000, 9);
    expect(pressure[3]).toBeCloseTo(0.1, 12);
  });

  it('a disk is held back only at its limit', () => {
    const limited = { tunes: { vda: { total_bytes_sec: 50_000 }, vdb: { total_bytes_sec: 50_000 } } };
    const run = (bytes: number) => {
      const track = new Track();
      track.add(reading({}, T, limited));
      track.take(T);
      // Requests were under way for 6 of the 10 s.
      const stats = { 'block.0.wr.bytes': 8192 + bytes, 'block.0.wr.times': 2000 + 6e9 };
      track.add(reading(stats, T + 10_000, limited));
      return track.take(T + 10_000)!.pressure[2];
    };
    expect(run(960_000)).toBeCloseTo(0.6, 6);
    expect(run(900_000)).toBe(0);
  });

  it('memory is the mean over the samples; its scarcity is the worst of them', () => {
    const track = new Track();
    track.add(reading({ 'balloon.usable': 262_144 - 100 * 1024 }, T));
    track.add(reading({ 'balloon.usable': 262_144 * 0.01 }, T + 1000));
    const { usage, pressure } = track.take(T + 2000)!;
    // 100 MiB, then 99 % of 256 MiB = 253.44 MiB.
    expect(usage[1]).toBeCloseTo((100 + 253.44) / 2, 9);
    expect(pressure[1]).toBeCloseTo(1 - 0.01 / 0.05, 9);
  });

  it('memory that comes back from swap is pressure: 64 of 128 MiB in use', () => {
    const track = new Track();
    const usable = 131_072;
    track.add(reading({ 'balloon.usable': usable }, T));
    track.take(T);
    track.add(reading({ 'balloon.usable': usable, 'balloon.swap_in': 65_536 }, T + 1000));
    expect(track.take(T + 1000)!.pressure[1]).toBeCloseTo(0.5, 12);
  });

  it('a report that stands still is no memory sample', () => {
    const track = new Track();
    const stuck = { 'balloon.last-update': T / 1000 };
    track.add(reading(stuck, T));
    track.take(T);
    track.add(reading(stuck, T + 60_000));
    const { usage } = track.take(T + 60_000)!;
    expect(usage[1]).toBeNaN();
    expect(usage[0]).toBe(0);
  });

  it('a guest that rebooted used what its new counters say', () => {
    const track = new Track();
    track.add(reading({}, T));
    track.take(T);
    track.add(reading({ 'cpu.time': 2e9 }, T + 10_000, { id: 2 }));
    expect(track.take(T + 10_000)!.usage[0]).toBeCloseTo(0.2, 12);
  });

  it('a group that was not read is unknown, and the next rate reaches back over the gap', () => {
    const track = new Track();
    track.add(reading({}, T));
    track.take(T);
    track.add(reading({ 'cpu.time': 31e9, 'block.count': 0 }, T + 10_000));
    const gap = track.take(T + 10_000)!;
    expect(gap.usage[2]).toBeNaN();
    expect(gap.usage[0]).toBeCloseTo(0.1, 12);
    track.add(reading({ 'block.0.rd.bytes': 4096 + 200_000 }, T + 20_000));
    expect(track.take(T + 20_000)!.usage[2]).toBeCloseTo(10_000, 9);
  });

  it('never tells of a sample later than asked for, and loses none', () => {
    const step = fc.record({
      after: fc.integer({ min: 1, max: 5000 }),
      busy: fc.integer({ min: 0, max: 2e9 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 2, maxLength: 30 }),
        fc.integer({ min: 500, max: 9000 }),
        (steps, tick) => {
          const track = new Track();
          let at = T;
          let cpu = 0;
          let told = 0;
          let from = T;
          let due = T;
          const take = (until: number) => {
            const window = track.take(until);
            if (!window) return;
            expect(window.sampledAt).toBeLessThanOrEqual(until);
            if (!Number.isNaN(window.usage[0])) told += window.usage[0] * (window.sampledAt - from) * 1e6;
            from = window.sampledAt;
          };
          track.add(reading({ 'cpu.time': cpu }, at));
          for (const { after, busy } of steps) {
            at += after;
            cpu += busy;
            track.add(reading({ 'cpu.time': cpu }, at));
            // Asked late or early, as a driver may be.
            while (due < at - 700) {
              take(due);
              due += tick;
            }
          }
          take(at);
          expect(told).toBeCloseTo(cpu, -3);
        },
      ),
    );
  });
});
