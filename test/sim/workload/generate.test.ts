import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { R } from '../../../core/model.ts';
import { ARCHETYPE_NAMES } from '../../../sim/workload/archetypes.ts';
import { bundled } from './bundled.ts';
import { demandAt, generated, mean, opened, record, series } from './streams.ts';

const everything = {
  source: 'generated',
  applications: ARCHETYPE_NAMES.map((archetype) => ({
    id: archetype,
    archetype,
    users: 2,
    flashCrowds: { every: '1d' },
    regimes: { every: '8h' },
    trend: {},
  })),
  arrivals: { pattern: 'azure', perDay: 150 },
};

describe('generated workloads', () => {
  it('are the same for the same seed, and not for another', async () => {
    const [a, b, c] = await Promise.all([1, 1, 2].map((seed) => opened(everything, 120, seed)));
    expect(record(a!)).toEqual(record(b!));
    expect(record(a!)).toEqual(record(a!)); // streams are independent and begin anew
    expect(record(c!)[0]!.demand).not.toEqual(record(a!)[0]!.demand);
  });

  it('are the same to the last bit on every machine and Node', async () => {
    const ingredients = {
      cycle: { amplitude: 0.6, peak: '15h', focus: 1.3, weekend: 0.6 },
      noise: { deviation: 0.3, persistence: '50m' },
      bursts: { every: '3h', lasts: '20m', height: 3 },
      flashCrowds: { every: '12h' },
      trend: { perWeek: 0.3 },
      regimes: { every: '10h' },
      jobs: { every: '5h' },
    };
    const more = { arrivals: { pattern: 'azure', perDay: 50 }, personality: {} };
    const vms = record(await generated([{ ...ingredients, users: 5 }], 400, more, 2024));
    const hash = createHash('sha256');
    for (const { demand } of vms) hash.update(new Uint8Array(Float64Array.from(demand).buffer));
    expect(hash.digest('hex')).toBe('04e7053ce0215f19e8ac6e3bd930c129eb9f6286ee8d4b5e0e04a0bf2780104e');
  });

  it("give a VM's demand whatever the order, the slots and the company in which it is asked for", async () => {
    const workload = await opened(everything, 60);
    const [forth, back, few] = [workload.open(), workload.open(), workload.open()];
    for (let t = 0; t < 60; t++) {
      const vms = forth.arrivals(0 + t).map((arrival) => arrival.vm);
      back.arrivals(t);
      few.arrivals(t);
      const all = t === 0 ? vms : [...Array(12).keys()];
      const one = demandAt(forth, t, all);
      const other = demandAt(back, t, all.toReversed());
      all.forEach((_, k) => {
        const from = (all.length - 1 - k) * R;
        expect(other.slice(from, from + R)).toEqual(one.slice(k * R, k * R + R));
      });
      if (t % 7 === 3) expect(demandAt(few, t, [all[2]!])).toEqual(one.slice(2 * R, 3 * R));
    }
  });

  it('leave a VM as it is when other applications and VMs are added', async () => {
    const shop = { id: 'shop', archetype: 'web', users: 2, vmsPerUser: 2, regimes: {}, flashCrowds: {} };
    const desk = { id: 'desk', archetype: 'dev', users: 5, vmsPerUser: 3 };
    const arrivals = { pattern: 'poisson', perDay: 100 };
    const alone = record(await opened({ source: 'generated', applications: [shop] }, 400));
    const among = record(await opened({ source: 'generated', applications: [desk, shop], arrivals }, 400));
    for (const vm of alone) {
      const same = among.find((other) => other.arrival.spec.vmId === vm.arrival.spec.vmId)!;
      expect(same.demand).toEqual(vm.demand);
      expect(same.arrival.spec).toEqual(vm.arrival.spec);
    }
  });

  it('refuse to be read out of turn', async () => {
    const stream = (await generated([{ jobs: { every: '5h' } }], 10)).open();
    expect(() => demandAt(stream, 0, [0])).toThrow(RangeError);
    expect(() => stream.arrivals(1)).toThrow(RangeError);
    stream.arrivals(0);
    expect(() => stream.arrivals(0)).toThrow(RangeError);
    expect(() => demandAt(stream, 1, [0])).toThrow(RangeError);
    expect(() => stream.jobs!(1)).toThrow(RangeError);
  });

  it('ask for what a VM of the size needs, within bounds', async () => {
    const app = { diskIo: { idle: 1000, perCore: 1e6 }, network: { idle: 0, perCore: 50_000 } };
    const bounds = { floor: { cpu: 0.5, memory: 512, diskIo: 100, network: 1e6 }, ceiling: 3 };
    const [vm] = (await generated([app], 1, { bounds })).open().arrivals(0);
    // 4 cores: 1.5 x (1000 + 4e6) bytes/s of disk, 1.5 x 4 x 50,000 of network, which is below the floor
    expect(vm!.spec).toEqual({
      vmId: 'app1-u1-1',
      applicationId: 'app1',
      userId: 'u1',
      requested: [4, 8192, 6_001_500, 300_000],
      min: [0.5, 512, 100, 300_000],
      max: [12, 24_576, 18_004_500, 900_000],
    });
  });

  it('never ask for more than twice the size, but for jobs on top', async () => {
    const bursts = { every: '10m', lasts: '1h', height: 50 };
    const [vm] = record(await generated([{ level: 1, bursts }], 500));
    const cpu = series(vm!, 0);
    expect(Math.max(...cpu)).toBeLessThan(8);
    expect(Math.max(...cpu)).toBeGreaterThan(7);
  });

  it('are finite and never negative, whatever is asked', async () => {
    const span = fc.integer({ min: 1, max: 5000 }).map((m) => `${m}m`);
    const upTo = (most: number) => fc.double({ min: 0, max: most, noNaN: true });
    const app = fc.record({
      level: upTo(4),
      cycle: fc.record({ amplitude: upTo(5), peak: span, focus: upTo(20), weekend: upTo(5) }),
      noise: fc.record({ deviation: upTo(2), persistence: span }),
      bursts: fc.record({ every: span, lasts: span, height: fc.double({ min: 1, max: 1e4, noNaN: true }) }),
      flashCrowds: fc.record({
        every: span,
        peak: fc.double({ min: 1, max: 1e4, noNaN: true }),
        rise: span,
        hold: span,
        decay: span,
      }),
      trend: fc.record({ perWeek: fc.double({ min: -1, max: 5, noNaN: true }) }),
      regimes: fc.record({ every: span, deviation: upTo(2) }),
      memory: fc.record({ base: upTo(2), load: upTo(2), lag: span, creep: upTo(2), period: span }),
      users: fc.integer({ min: 1, max: 3 }),
    });
    const personality = fc.record({
      phase: span,
      amplitude: upTo(2),
      level: upTo(2),
      burstiness: upTo(2),
    });
    await fc.assert(
      fc.asyncProperty(app, personality, fc.nat(), async (application, spread, seed) => {
        const workload = await generated([application], 200, { personality: spread }, seed);
        for (const { demand } of record(workload)) {
          expect(demand.every((x) => Number.isFinite(x) && x >= 0)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('personal habits', () => {
  it('make a model of the user worth more than one of the application', async () => {
    const { workload } = bundled('personal');
    const vms = record(await opened(workload, 21 * 288)).map((vm) => ({
      pair: `${vm.arrival.spec.applicationId} ${vm.arrival.spec.userId}`,
      application: vm.arrival.spec.applicationId,
      share: series(vm, 0).map((x) => x / vm.arrival.spec.requested[0]),
    }));
    // Forecasts week 3 as the mean of weeks 1 and 2 at the same time of week, of the VMs that share the key.
    const error = (key: 'pair' | 'application') => {
      const profiles = new Map<string, number[]>();
      for (const name of new Set(vms.map((vm) => vm[key]))) {
        const group = vms.filter((vm) => vm[key] === name);
        const at = (t: number) => mean(group.flatMap(({ share }) => [share[t]!, share[t + 2016]!]));
        profiles.set(
          name,
          Array.from({ length: 2016 }, (_, t) => at(t)),
        );
      }
      return mean(
        vms.map((vm) => mean(profiles.get(vm[key])!.map((x, t) => Math.abs(vm.share[t + 4032]! - x)))),
      );
    };

    expect(error('pair')).toBeLessThan(0.5 * error('application'));
  });
});
