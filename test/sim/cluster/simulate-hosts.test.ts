import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { controllerSchema } from '../../../core/config.ts';
import { type HostsParams, hostsParams } from '../../../sim/cluster/hosts-model.ts';
import { hypervisorParams } from '../../../sim/cluster/hypervisor-model.ts';
import { telemetryParams } from '../../../sim/cluster/sim-telemetry.ts';
import { vmModelParams } from '../../../sim/cluster/vm-model.ts';
import { parseScenario } from '../../../sim/scenario.ts';
import { simulate } from '../../../sim/simulate.ts';
import { tinyWorkload } from '../tiny-workload.ts';

const TICKS = 60;
const vms = Array.from({ length: 24 }, (_, i) => ({
  demand: Array.from({ length: TICKS - (i % 5) * 3 }, (_, t) => [
    1 + ((i * 3 + t) % 7) / 2,
    500 + ((i + t) % 5) * 50,
    0,
    0,
  ]),
  from: (i % 5) * 3,
  requested: [2, 1024, 0, 0] as const,
}));

async function run(hosts: HostsParams | undefined) {
  const digest = createHash('sha256');
  const simulation = await simulate({
    controller: controllerSchema.parse({ policies: { p: { kind: 'threshold' } }, policy: 'p' }),
    workload: tinyWorkload(vms, TICKS),
    seed: 3,
    warmup: 5,
    hypervisor: hypervisorParams.parse({}),
    telemetry: telemetryParams.parse({}),
    vms: vmModelParams.parse({}),
    hosts,
    record: 0,
    onDecisions: (bytes) => digest.update(bytes),
  });
  return { sha: digest.digest('hex'), cluster: simulation.cluster, log: simulation.log };
}

const parsed = (hosts: object) => hostsParams.parse(hosts);

describe('simulate with hosts', () => {
  it('decides as without hosts where there is room for all', async () => {
    const without = await run(undefined);
    const roomy = await run(parsed({ groups: [{ count: 24, cores: 1000, memoryMiB: 1e6 }] }));
    expect(roomy.sha).toBe(without.sha);
    expect(without.cluster).toBeUndefined();
    expect(roomy.cluster).toMatchObject({ refusedResizes: 0, migrations: 0, slatah: 0, waitingS: 0 });
    expect(roomy.cluster!.energyKwh).toBeGreaterThan(0);
  });

  it('refuses what a full host cannot hold, and the log says so', async () => {
    const { cluster, log } = await run(parsed({ groups: [{ count: 6, cores: 10, memoryMiB: 8192 }] }));
    expect(log.refused).toBeGreaterThan(0);
    // The score begins after the warm-up, as the controller's actions do.
    expect(cluster!.refusedResizes).toBe(log.refused);
  });

  it('is the same byte for byte twice, with failures, overcommit and migrations', async () => {
    const hosts = parsed({
      groups: [{ count: 8, cores: 8, memoryMiB: 8192, overcommit: { cpu: 2 } }],
      whenFull: 'migrate',
      placement: 'power-aware',
      failures: { mtbfHours: 5, repairHours: 1 },
    });
    const [a, b] = [await run(hosts), await run(hosts)];
    expect(a).toEqual(b);
    expect(a.cluster!.hostFailures).toBeGreaterThan(0);
    expect(a.cluster!.vmsRestarted).toBeGreaterThan(0);
    expect(a.cluster!.migrations).toBeGreaterThan(0);
  });

  it('ends when every host fails at once and nothing fits anywhere', async () => {
    const dead = parsed({ groups: [{ count: 2, cores: 4, memoryMiB: 4096 }], failures: { mtbfHours: 1e-6 } });
    const { cluster } = await run(dead);
    expect(cluster).toMatchObject({ energyKwh: 0, activeHosts: 0, slatah: 0, pdm: 0 });
    const tiny = parsed({ groups: [{ count: 2, cores: 0.5, memoryMiB: 64 }] });
    expect((await run(tiny)).cluster!.vmsTooLarge).toBe(24);
  });

  it('reads hosts from a scenario, and tells overcommit below 1 by its line', () => {
    const yaml = (cpu: number) =>
      [
        'apiVersion: foresize/v1',
        'name: t',
        'workload: { source: generated, applications: [{ id: a, archetype: web, users: 1, vmsPerUser: 1 }] }',
        'hosts:',
        '  groups:',
        `    - { count: 1, cores: 4, memoryMiB: 8192, overcommit: { cpu: ${cpu} } }`,
        'policy: p',
        'policies: { p: { kind: static } }',
      ].join('\n');
    expect(parseScenario(yaml(2), 't.yaml').hosts?.groups[0]?.overcommit.cpu).toBe(2);
    expect(() => parseScenario(yaml(0.5), 't.yaml')).toThrow(
      /overcommit below 1 .*t.yaml:6: hosts.groups.0.overcommit.cpu/,
    );
  });
});
