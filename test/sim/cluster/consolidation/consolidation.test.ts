import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Consolidator } from '../../../../sim/cluster/consolidation/consolidator.ts';
import { consolidate } from '../../../../sim/cluster/consolidation/run.ts';
import {
  LoadHistory,
  Placement,
  type ServerColumns,
  type VmColumns,
} from '../../../../sim/cluster/consolidation/state.ts';
import { POWER_TABLES } from '../../../../sim/cluster/power.ts';

const G5 = POWER_TABLES['hp-ml110-g5'];

const servers = (count: number): ServerColumns => ({
  count,
  coreMips: new Float64Array(count).fill(1000),
  mips: new Float64Array(count).fill(2000),
  memory: new Float64Array(count).fill(4096),
  network: new Float64Array(count).fill(1000),
  watts: new Array<readonly number[]>(count).fill(G5),
});

const vms = (loads: readonly (readonly number[])[], memory = 1000): VmColumns => ({
  count: loads.length,
  mips: new Float64Array(loads.length).fill(1000),
  memory: Float64Array.from({ length: loads.length }, (_, vm) => memory + vm),
  network: new Float64Array(loads.length).fill(1),
  samples: loads[0]!.length,
  load: Float64Array.from(loads.flat()),
});

describe('consolidation', () => {
  it('plans by hand: the overloaded host gives its smallest VM, the emptiest host is cleared', () => {
    // Host 0 holds VMs 0 and 1 at 900 of 2000 each (0.9 > 0.8); 1 holds VM 2 at 500, 2 holds VM 3 at 300.
    // VM 0 has the least memory and goes. On hosts 1 and 2 power would rise from 0.25 to 0.7 and from 0.15 to 0.6:
    //   P(.25) = 103, P(.7) = 125: 22 W; P(.15) = 99, P(.6) = 121: 22 W. Host 3 is off: P(.45) - P(0) = 19.3 W: best.
    // Then host 2 is the least loaded (0.15); its VM goes to host 1.
    const load = vms([[0.9], [0.9], [0.5], [0.3]]);
    const placement = new Placement(4, 4);
    [0, 0, 1, 2].forEach((host, vm) => {
      placement.add(vm, host);
    });
    const wanted = Float64Array.of(900, 900, 500, 300);
    const rule = { kind: 'thr', threshold: 0.8 } as const;
    const consolidator = new Consolidator(servers(4), load, rule, new LoadHistory(4), wanted, 300);
    const plan = consolidator.plan(placement, Float64Array.of(0.9, 0.25, 0.15, 0));
    expect(plan).toEqual([
      { vm: 0, host: 3 },
      { vm: 3, host: 1 },
    ]);
    expect([...placement.host]).toEqual([0, 0, 1, 2]);
  });

  it('is idle and free where nobody wants anything', () => {
    const result = consolidate({
      servers: servers(2),
      vms: vms([[0, 0, 0]]),
      rule: { kind: 'thr', threshold: 0.8 },
      stepS: 300,
      durationS: 900,
    });
    expect(result.energyKwh).toBe(0);
    expect(result.migrations).toBe(0);
  });

  it('says which VM fits nowhere', () => {
    const setup = {
      servers: servers(1),
      vms: vms([[1], [1], [1]]),
      rule: { kind: 'thr', threshold: 0.8 } as const,
      stepS: 300,
      durationS: 900,
    };
    expect(() => consolidate(setup)).toThrow(/CONSOLIDATION_NO_HOST: VM 2 /);
  });

  it('a plan loses no VM, overfills no host and leaves barred hosts alone', () => {
    const share = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 8 }),
        fc.array(fc.tuple(share, fc.nat(7)), { minLength: 1, maxLength: 20 }),
        fc.constantFrom(0.5, 0.8, 1),
        (count, loads, threshold) => {
          const n = loads.length;
          const placement = new Placement(count, n);
          const wanted = Float64Array.from(loads, ([load]) => load * 1000);
          const used = new Float64Array(count);
          loads.forEach(([, host], vm) => {
            placement.add(vm, host % count);
            used[host % count] = used[host % count]! + wanted[vm]! / 2000;
          });
          const columns = vms(loads.map(([load]) => [load]));
          const consolidator = new Consolidator(
            servers(count),
            columns,
            { kind: 'thr', threshold },
            new LoadHistory(n),
            wanted,
            300,
          );
          const plan = consolidator.plan(
            placement,
            used.map((x) => Math.min(1, x)),
          );
          for (const { vm, host } of plan) {
            expect(placement.host[vm]).not.toBe(host);
            placement.move(vm, host);
          }
          const after = new Float64Array(count);
          for (let vm = 0; vm < n; vm++) {
            expect(placement.host[vm]).toBeGreaterThanOrEqual(0);
            after[placement.host[vm]!] = after[placement.host[vm]!]! + wanted[vm]! / 2000;
          }
          // A host that received something is not full; one that was overloaded only lost.
          for (const { host } of plan) expect(after[host]!).toBeLessThanOrEqual(1 + 1e-9);
          after.forEach((load, host) => {
            if (used[host]! > threshold) expect(load).toBeLessThanOrEqual(used[host]! + 1e-9);
          });
        },
      ),
    );
  });
});
