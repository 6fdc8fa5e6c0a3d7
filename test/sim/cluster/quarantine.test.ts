import { describe, expect, it } from 'vitest';
import { Fleet } from '../../../core/fleet.ts';
import { Cluster } from '../../../sim/cluster/cluster.ts';
import { hostsParams } from '../../../sim/cluster/hosts-model.ts';
import { vmModelParams } from '../../../sim/cluster/vm-model.ts';
import { Vms } from '../../../sim/cluster/vms.ts';

const STEP = 300_000;

/** Two ordinary hosts and one for quarantine, of 4 cores each; VMs of 2 cores and 1 GiB, copied within a tick. */
function world(vms: number, quarantineCores = 4) {
  const fleet = new Fleet();
  const all = fleet.register(new Vms(fleet, vmModelParams.parse({}), STEP));
  const hosts = hostsParams.parse({
    groups: [
      { count: 2, cores: 4, memoryMiB: 16_384 },
      { count: 1, cores: quarantineCores, memoryMiB: 16_384, quarantine: true },
    ],
  });
  const cluster = fleet.register(new Cluster(fleet, all, hosts, STEP, 1, () => undefined));
  for (let i = 0; i < vms; i++) {
    const size = [2, 1024, 0, 0] as const;
    fleet.admit(
      { vmId: `vm${i}`, applicationId: 'a', userId: 'u', requested: size, min: size, max: size },
      0,
    );
  }
  cluster.churn(0, true);
  return { fleet, cluster, host: () => [...fleet.slots].map((slot) => cluster.reservations.host[slot]) };
}

describe('the quarantine pool', () => {
  it('takes no VM that is not sent there', () => {
    const { host } = world(5);
    expect(host().slice(0, 4).toSorted()).toEqual([0, 0, 1, 1]);
    expect(host()[4]).toBe(-1);
  });

  it('takes a VM by live migration, and gives it back', () => {
    const { cluster, host } = world(4);
    const before = host()[1];
    expect(cluster.quarantine(1, true)).toBe(true);
    expect(host()[1]).toBe(before); // copied first
    expect(cluster.quarantine(1, false)).toBe(false); // not while it is being copied
    expect(cluster.quarantine(1, true)).toBe(true);
    cluster.churn(1, true);
    expect(host()[1]).toBe(2);
    expect(cluster.quarantine(1, false)).toBe(true);
    cluster.churn(2, true);
    expect([0, 1]).toContain(host()[1]);
    expect(cluster.measures()).toMatchObject({ migrations: 2, quarantined: 1 });
  });

  it('has no room, or there is none to go back to: asked again, it takes the VM later', () => {
    const { cluster, fleet, host } = world(4, 2);
    expect(cluster.quarantine(0, true)).toBe(true);
    expect(cluster.quarantine(1, true)).toBe(false);
    cluster.churn(1, true);
    const size = [2, 1024, 0, 0] as const;
    fleet.admit({ vmId: 'late', applicationId: 'a', userId: 'u', requested: size, min: size, max: size }, 1);
    cluster.churn(2, true);
    expect(cluster.quarantine(0, false)).toBe(false); // its place was taken
    expect(host()[0]).toBe(2);
    fleet.retire('late');
    cluster.churn(3, true);
    expect(cluster.quarantine(0, false)).toBe(true);
    cluster.churn(4, true);
    expect([0, 1]).toContain(host()[0]);
  });

  it('cannot be all there is', () => {
    expect(
      hostsParams.safeParse({ groups: [{ count: 1, cores: 1, memoryMiB: 1, quarantine: true }] }).error
        ?.issues[0]?.message,
    ).toBe('every host is kept for quarantine, so that no VM finds a place');
  });
});
