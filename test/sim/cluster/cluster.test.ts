import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fleet } from '../../../core/fleet.ts';
import { Interval } from '../../../core/interval.ts';
import { Frame, MEMORY, R, type ResourceVector } from '../../../core/model.ts';
import { Cluster } from '../../../sim/cluster/cluster.ts';
import { type HostsParams, hostsParams, PLACEMENTS } from '../../../sim/cluster/hosts-model.ts';
import { vmModelParams } from '../../../sim/cluster/vm-model.ts';
import { Vms } from '../../../sim/cluster/vms.ts';
import { disturbance } from './disturbance.ts';

const STEP_MS = 300_000;
const GROUP = { count: 2, cores: 4, memoryMiB: 8192 };

/** A cluster driven by hand, tick by tick. */
class Rig {
  readonly fleet = new Fleet();
  readonly vms: Vms;
  readonly frame: Frame;
  readonly interval: Interval;
  readonly cluster: Cluster;
  t = 0;

  constructor(params: z, profile?: (slot: number) => readonly number[] | undefined, memoryShort = 'swap') {
    this.vms = this.fleet.register(new Vms(this.fleet, vmModelParams.parse({ memoryShort }), STEP_MS));
    this.frame = this.fleet.register(new Frame());
    this.interval = this.fleet.register(new Interval());
    const hosts: HostsParams = hostsParams.parse(params);
    this.cluster = this.fleet.register(
      new Cluster(this.fleet, this.vms, hosts, STEP_MS, 5, profile ?? (() => undefined)),
    );
  }

  arrive(vmId: string, requested: ResourceVector): number {
    const max = requested.map((x) => x * 100) as unknown as ResourceVector;
    const min = [0, 0, 0, 0] as const;
    return this.fleet.admit({ vmId, applicationId: 'a', userId: 'u', requested, min, max }, this.t);
  }

  /** Begins interval t. */
  begin(): void {
    this.cluster.churn(this.t, true);
  }

  /** Ends it. */
  end(): void {
    this.cluster.contend();
    this.vms.settle(this.frame, this.interval);
    this.cluster.observe(this.interval.usage, this.interval.demand);
    this.t++;
  }

  want(slot: number, demand: readonly number[]): void {
    this.vms.demand.set(demand, slot * R);
  }

  hostOf(slot: number): number {
    return this.cluster.reservations.host[slot]!;
  }

  used(slot: number, r = 0): number {
    return this.interval.usage[slot * R + r]!;
  }
}

type z = object;

describe('cluster', () => {
  it('overcommits CPU and shares it by weight under load, up to the quota', () => {
    const rig = new Rig({ groups: [{ ...GROUP, count: 1, overcommit: { cpu: 2 } }] });
    const a = rig.arrive('a', [4, 1024, 0, 0]);
    const b = rig.arrive('b', [2, 1024, 0, 0]);
    rig.begin();
    rig.want(a, [4, 512, 0, 0]);
    rig.want(b, [2, 512, 0, 0]);
    rig.end();
    // 4 cores by weights 4 : 2.
    expect(rig.used(a)).toBeCloseTo(8 / 3, 12);
    expect(rig.used(b)).toBeCloseTo(4 / 3, 12);
    expect(disturbance(rig.interval, a * R).starved).toBe(300);
    expect(rig.interval.allocation[a * R]).toBe(4);
    // The work that was not done waits.
    expect(disturbance(rig.interval, a * R).backlog).toBeCloseTo((4 - 8 / 3) * 300, 9);
    const { slatah, overloadTimeFraction } = rig.cluster.measures();
    expect([slatah, overloadTimeFraction]).toEqual([1, 1]);
    // A quiet neighbour leaves its share: 3 cores wanted and there.
    rig.begin();
    rig.want(a, [0, 512, 0, 0]);
    rig.want(b, [0, 512, 0, 0]);
    rig.end();
    expect(rig.cluster.measures().overloadTimeFraction).toBe(0.5);
  });

  it('balloons idle memory away at no cost, and makes the largest swap when that is not enough', () => {
    const rig = new Rig({ groups: [{ ...GROUP, count: 1, overcommit: { memory: 2 } }] });
    const a = rig.arrive('a', [1, 8192, 0, 0]);
    const b = rig.arrive('b', [1, 8192, 0, 0]);
    rig.begin();
    rig.want(a, [1, 6000, 0, 0]);
    rig.want(b, [1, 2192, 0, 0]);
    rig.end();
    expect([rig.used(a, 1), rig.used(b, 1)]).toEqual([6000, 2192]);
    expect(rig.used(a)).toBe(1);
    rig.begin();
    rig.want(b, [1, 5000, 0, 0]);
    rig.end();
    // 8192 by equal weights is 4096 each, and both want more.
    expect([rig.used(a, 1), rig.used(b, 1)]).toEqual([4096, 4096]);
    // 1 - 4096/6000 swapped out, x 4: speed 1 / (1 + 1.269).
    expect(rig.used(a)).toBeCloseTo(1 / (1 + 4 * (1 - 4096 / 6000)), 12);
  });

  it('kills the guests above their share when they cannot swap', () => {
    const rig = new Rig({ groups: [{ ...GROUP, count: 1, overcommit: { memory: 2 } }] }, undefined, 'oom');
    const a = rig.arrive('a', [1, 8192, 0, 0]);
    const b = rig.arrive('b', [1, 8192, 0, 0]);
    rig.begin();
    rig.want(a, [1, 8000, 0, 0]);
    rig.want(b, [1, 1000, 0, 0]);
    rig.end();
    expect([
      disturbance(rig.interval, a * R + MEMORY).oomKills,
      disturbance(rig.interval, b * R + MEMORY).oomKills,
    ]).toEqual([1, 0]);
  });

  it('shares disk and network', () => {
    const rig = new Rig({
      groups: [
        {
          ...GROUP,
          count: 1,
          diskBytesPerS: 100,
          networkBytesPerS: 30,
          overcommit: { diskIo: 3, network: 3 },
        },
      ],
    });
    const a = rig.arrive('a', [1, 0, 100, 30]);
    const b = rig.arrive('b', [1, 0, 100, 60]);
    rig.begin();
    rig.want(a, [0, 0, 100, 30]);
    rig.want(b, [0, 0, 20, 60]);
    rig.end();
    expect([rig.used(a, 2), rig.used(b, 2)]).toEqual([80, 20]);
    expect([rig.used(a, 3), rig.used(b, 3)]).toEqual([10, 20]);
  });

  it('refuses, queues or migrates a resize its host cannot hold', () => {
    const grow = (whenFull: string) => {
      const rig = new Rig({ groups: [GROUP], whenFull, placement: 'first-fit' });
      const a = rig.arrive('a', [2, 4096, 0, 0]);
      const b = rig.arrive('b', [2, 1024, 0, 0]);
      rig.begin();
      return { rig, a, b, answer: rig.cluster.resize(a, 0, 3, 0) };
    };
    const refused = grow('refuse');
    expect(refused.answer).toBe('refused');
    expect(refused.rig.cluster.measures().refusedResizes).toBe(1);

    const queued = grow('queue');
    expect(queued.answer).toBe('queued');
    queued.rig.end();
    expect(queued.rig.vms.allocation[queued.a * R]).toBe(2);
    queued.rig.fleet.retire('b');
    queued.rig.begin();
    queued.rig.end();
    expect(queued.rig.vms.allocation[queued.a * R]).toBe(3);

    const moved = grow('migrate');
    expect(moved.answer).toBe('accepted');
    moved.rig.want(moved.a, [2, 4096, 0, 0]);
    moved.rig.end();
    // 4096 MiB at 62.5 MB/s take 68.7 s, at 10 % less CPU; then it has 3 cores.
    const copyS = (4096 * 1024 * 1024) / 62.5e6;
    expect(moved.rig.cluster.measures().pdm).toBeCloseTo((0.1 * copyS) / 300, 12);
    expect(moved.rig.vms.allocation[moved.a * R]).toBe(3);
    expect(moved.rig.hostOf(moved.a)).toBe(0);
    moved.rig.begin();
    expect(moved.rig.hostOf(moved.a)).toBe(1);
    expect(moved.rig.cluster.measures().migrations).toBe(1);
    expect([...moved.rig.cluster.hosts.committed.subarray(0, 8)]).toEqual([2, 1024, 0, 0, 3, 4096, 0, 0]);
  });

  it('places first fit, best fit, by power and by correlation', () => {
    const groups = [
      { count: 1, cores: 8, memoryMiB: 8192, power: 'hp-ml110-g5' },
      { count: 1, cores: 4, memoryMiB: 8192, power: 'hp-ml110-g4' },
    ];
    const placed = (placement: string) => {
      const rig = new Rig({ groups, placement });
      const a = rig.arrive('a', [2, 1024, 0, 0]);
      const b = rig.arrive('b', [2, 1024, 0, 0]);
      rig.begin();
      return [rig.hostOf(a), rig.hostOf(b)];
    };
    expect(placed('first-fit')).toEqual([0, 0]);
    // Least left: 6/8 + 7/8 against 2/4 + 7/8.
    expect(placed('best-fit')).toEqual([1, 1]);
    // Turning on: P(2/8) = 103 W on the G5, P(2/4) = 102 W on the G4. Then 15 W more on the G4; 103 W on the G5.
    expect(placed('power-aware')).toEqual([1, 1]);
    // Days of 12 high and 12 low hours: a and b peak by day, c by night. d by day goes to where c is.
    const day = Array.from({ length: 24 }, (_, h) => (h < 12 ? 1 : 0.1));
    const night = day.toReversed();
    const rig = new Rig(
      { groups: [{ count: 2, cores: 4, memoryMiB: 8192 }], placement: 'correlation-aware' },
      (slot) => (slot === 2 ? night : day),
    );
    const [a, b, c] = [
      rig.arrive('a', [1, 0, 0, 0]),
      rig.arrive('b', [3, 0, 0, 0]),
      rig.arrive('c', [2, 0, 0, 0]),
    ];
    const d = rig.arrive('d', [1, 0, 0, 0]);
    rig.begin();
    expect([a, b, c].map((slot) => rig.hostOf(slot))).toEqual([0, 0, 1]);
    expect(rig.hostOf(d)).toBe(1);
  });

  it('restarts the VMs of a failed host elsewhere, or lets them wait and counts it', () => {
    // MTBF of a thousandth of an hour: every host fails at once, and again as soon as it is repaired, after one tick.
    const failures = { mtbfHours: 0.001, repairHours: 1 / 12 };
    const rig = new Rig({ groups: [GROUP], failures });
    const a = rig.arrive('a', [2, 1024, 0, 0]);
    rig.begin();
    rig.want(a, [1, 512, 0, 0]);
    expect(rig.hostOf(a)).toBe(-1);
    rig.end();
    expect(rig.interval.usage[a * R]).toBe(0);
    expect(disturbance(rig.interval, a * R).starved).toBe(300);
    expect(rig.interval.allocation[a * R]).toBe(0);
    expect(rig.frame.usage[a * R]).toBeNaN();
    expect(rig.cluster.measures()).toMatchObject({ hostFailures: 2, waitingS: 300, energyKwh: 0 });
  });

  it('empties a host for maintenance, and gives it VMs again afterwards', () => {
    const rig = new Rig({
      groups: [GROUP],
      placement: 'first-fit',
      maintenance: [{ host: 0, fromHours: 1 / 12, hours: 1 / 6 }],
    });
    const a = rig.arrive('a', [2, 1024, 0, 0]);
    const hosts: number[] = [];
    for (let t = 0; t < 4; t++) {
      if (t === 3) rig.arrive('b', [2, 1024, 0, 0]);
      rig.begin();
      hosts.push(rig.hostOf(a));
      rig.end();
    }
    // The window is ticks 1 and 2; the copy begun at 1 has arrived at 2.
    expect(hosts).toEqual([0, 0, 1, 1]);
    expect(rig.hostOf(rig.fleet.slotOf('b')!)).toBe(0);
    expect(rig.cluster.measures()).toMatchObject({ migrations: 1, undrainedTicks: 0 });
  });

  it('counts a VM larger than any host, which waits, and takes it once it is small enough', () => {
    const rig = new Rig({ groups: [GROUP] });
    const a = rig.arrive('a', [5, 1024, 0, 0]);
    rig.begin();
    rig.end();
    rig.begin();
    expect(rig.cluster.measures()).toMatchObject({ vmsTooLarge: 1, waitingS: 300 });
    expect(rig.cluster.resize(a, 0, 6, 0)).toBe('refused');
    expect(rig.cluster.resize(a, 0, 3, 0)).toBe('accepted');
    rig.end();
    rig.begin();
    expect(rig.hostOf(a)).toBeGreaterThanOrEqual(0);
  });

  it('adds up energy by hand', () => {
    const rig = new Rig({ groups: [{ ...GROUP, power: 'hp-ml110-g4' }], placement: 'first-fit' });
    const a = rig.arrive('a', [2, 1024, 0, 0]);
    rig.begin();
    rig.want(a, [2, 512, 0, 0]);
    rig.end();
    // Half load of a G4 is 102 W for 300 s; the other host is off.
    expect(rig.cluster.measures().energyKwh).toBeCloseTo((102 * 300) / 3.6e6, 12);
    expect(rig.cluster.measures().activeHosts).toBe(1);
  });

  it('counts growth within the interval as wanted', () => {
    const rig = new Rig({ groups: [{ ...GROUP, count: 1, overcommit: { cpu: 2 } }] });
    const a = rig.arrive('a', [1, 0, 0, 0]);
    const b = rig.arrive('b', [2, 0, 0, 0]);
    rig.begin();
    rig.want(a, [3, 0, 0, 0]);
    rig.want(b, [2, 0, 0, 0]);
    expect(rig.cluster.resize(a, 0, 3, 0)).toBe('accepted');
    rig.end();
    // 4 cores by weights 1 : 2; b is content with 2, which leaves 2.
    expect(rig.used(a)).toBe(2);
    expect(rig.used(b)).toBe(2);
  });

  it('rejects overcommit below 1 and maintenance of a host that is not there', () => {
    const low = hostsParams.safeParse({ groups: [{ ...GROUP, overcommit: { cpu: 0.5 } }] });
    expect(low.error?.issues[0]?.path.join('.')).toBe('groups.0.overcommit.cpu');
    const absent = hostsParams.safeParse({
      groups: [GROUP],
      maintenance: [{ host: 2, fromHours: 0, hours: 1 }],
    });
    expect(absent.error?.issues[0]?.message).toContain('numbered 0 to 1');
  });
});

describe('a cluster under random failures, migrations and resizes', () => {
  const overcommit = fc.constantFrom(1, 1.5, 3);
  const params = fc.record({
    count: fc.integer({ min: 1, max: 5 }),
    cpu: overcommit,
    memory: overcommit,
    placement: fc.constantFrom(...PLACEMENTS),
    whenFull: fc.constantFrom('refuse', 'queue', 'migrate'),
    mtbfHours: fc.constantFrom(undefined, 1, 10),
    bytesPerS: fc.constantFrom(1e6, 1e8),
    memoryShort: fc.constantFrom('swap', 'oom'),
  });
  const action = fc.record({
    kind: fc.constantFrom('arrive', 'arrive', 'leave', 'resize', 'resize', 'demand', 'demand'),
    vm: fc.nat(11),
    r: fc.nat(3),
    x: fc.integer({ min: 1, max: 300 }).map((x) => x / 100),
    seconds: fc.constantFrom(0, 10, 400),
  });
  const ticks = fc.array(fc.array(action, { maxLength: 20, size: 'max' }), {
    minLength: 1,
    maxLength: 25,
    size: 'max',
  });

  it('never exceeds a capacity and never loses a VM', () => {
    fc.assert(
      fc.property(
        params,
        ticks,
        ({ count, cpu, memory, placement, whenFull, mtbfHours, bytesPerS, memoryShort }, plan) => {
          const profile = (slot: number) => Array.from({ length: 24 }, (_, h) => 1 + ((h * (slot + 1)) % 7));
          const rig = new Rig(
            {
              groups: [
                {
                  count,
                  cores: 4,
                  memoryMiB: 4096,
                  diskBytesPerS: 100,
                  networkBytesPerS: 100,
                  overcommit: { cpu, memory },
                },
              ],
              placement,
              whenFull,
              failures: { mtbfHours, repairHours: 0.5 },
              migration: { bytesPerS },
              maintenance: [{ host: 0, fromHours: 0.5, hours: 0.5 }],
            },
            profile,
            memoryShort,
          );
          const size = [1, 1024, 30, 30] as const;
          for (const actions of plan) {
            for (const { kind, vm, x } of actions) {
              if (kind === 'arrive')
                rig.arrive(`vm${vm}`, size.map((s) => s * x) as unknown as ResourceVector);
              if (kind === 'leave') rig.fleet.retire(`vm${vm}`);
            }
            rig.begin();
            check(rig, 'after churn');
            for (const { kind, vm, r, x, seconds } of actions) {
              const slot = rig.fleet.slotOf(`vm${vm}`);
              if (slot === undefined) continue;
              if (kind === 'resize') rig.cluster.resize(slot, r, size[r]! * x, seconds);
              if (kind === 'demand')
                rig.want(
                  slot,
                  size.map((s) => s * x),
                );
            }
            check(rig, 'after resizes');
            rig.end();
            served(rig);
          }
        },
      ),
      { numRuns: 120 },
    );
  });

  function check({ fleet, vms, cluster: { hosts, reservations } }: Rig, when: string): void {
    const allocated = new Float64Array(hosts.count * R);
    const here = new Int32Array(hosts.count);
    for (const slot of fleet.slots) {
      const host = reservations.host[slot]!;
      const target = reservations.target[slot]!;
      expect(host).toBeGreaterThanOrEqual(-1);
      if (host < 0) {
        expect(target, 'a VM without a host is not copied').toBe(-1);
        continue;
      }
      here[host] = here[host]! + 1;
      if (target >= 0) here[target] = here[target]! + 1;
      for (let r = 0; r < R; r++)
        allocated[host * R + r] = allocated[host * R + r]! + vms.allocation[slot * R + r]!;
    }
    expect([...hosts.vms], when).toEqual([...here]);
    for (let i = 0; i < allocated.length; i++) {
      const limit = hosts.limit[i]! * (1 + 1e-9);
      expect(allocated[i]!, when).toBeLessThanOrEqual(hosts.committed[i]! * (1 + 1e-9) + 1e-9);
      expect(hosts.committed[i]!, when).toBeLessThanOrEqual(limit);
    }
  }

  /** No host served more than it has, but for memory and CPU of VMs that arrived with their copy in the interval. */
  function served({ fleet, interval, cluster: { hosts, reservations } }: Rig): void {
    const used = new Float64Array(hosts.count * R);
    for (const slot of fleet.slots) {
      const host = reservations.host[slot]!;
      for (let r = 0; r < R; r++) {
        const usage = interval.usage[slot * R + r]!;
        expect(Number.isFinite(usage)).toBe(true);
        if (host < 0) expect(usage).toBe(0);
        else if (reservations.target[slot]! < 0) used[host * R + r] = used[host * R + r]! + usage;
      }
    }
    for (let i = 0; i < used.length; i++)
      expect(used[i]!).toBeLessThanOrEqual(hosts.capacity[i]! * (1 + 1e-9));
  }
});
