import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../../sim/scenario.ts';
import { withAnomalies } from '../../../sim/workload/anomalies/inject.ts';
import { injectedAnomalies } from '../../../sim/workload/anomalies/schema.ts';
import type { InjectedAnomaly, Workload } from '../../../sim/workload/types.ts';
import { tinyWorkload } from '../tiny-workload.ts';

const TICKS = 100;
const ROW = [1, 1000, 2e6, 3e6] as const;
const REQUESTED = [4, 4096, 1e7, 1e7] as const;

function fleet(vms: number): Workload {
  return tinyWorkload(
    Array.from({ length: vms }, () => ({
      demand: Array.from({ length: TICKS }, () => [...ROW]),
      requested: REQUESTED,
    })),
    TICKS,
  );
}

/** Demand by interval and VM, and what was injected. */
function read(workload: Workload, vms: number) {
  const stream = workload.open();
  const numbers = Int32Array.from({ length: vms }, (_, k) => k);
  const demand: Float64Array[] = [];
  for (let t = 0; t < workload.intervals; t++) {
    stream.arrivals(t);
    const out = new Float64Array(vms * 4);
    stream.demand(t, vms, numbers, numbers, out);
    demand.push(out);
  }
  return { demand, anomalies: stream.anomalies as readonly InjectedAnomaly[] };
}

const one = (kind: string, more: object = {}) =>
  injectedAnomalies.parse([{ kind, share: 1, from: '100m', within: '5m', lasts: '50m', ...more }]);

describe('anomalies in demand', () => {
  it.each([
    // Demand of the first and the last of 10 intervals from 20 on; the request is 4 cores, 1e7 bytes/s.
    ['leak', [1, 1100, 2e6, 3e6], [1, 2000, 2e6, 3e6]],
    ['runaway-loop', [4, 1000, 2e6, 3e6], [4, 1000, 2e6, 3e6]],
    ['crypto-miner', [3.2, 1000, 2e6, 3.06e6], [3.2, 1000, 2e6, 3.06e6]],
    ['noisy-neighbour', [1, 1000, 1e7, 9e6], [1, 1000, 1e7, 9e6]],
    ['traffic-flood', [1, 1000, 2e6, 4.2e7], [1, 1000, 2e6, 4.2e7]],
    ['stuck-at-zero', [0, 1000, 0, 0], [0, 1000, 0, 0]],
  ] as const)('%s shows as it should, and only while it lasts', (kind, first, last) => {
    const { demand, anomalies } = read(withAnomalies(fleet(1), one(kind), 1), 1);
    expect(anomalies).toEqual([{ vmId: 'vm0', kind, from: 20, to: 30, lasts: 10 }]);
    expect([...demand[19]!]).toEqual([...ROW]);
    expect([...demand[20]!]).toEqual([...first]);
    expect([...demand[29]!]).toEqual([...last]);
    expect([...demand[30]!]).toEqual([...ROW]);
  });

  it('happens to the share of the VMs, to at least one, and the same in every stream', () => {
    const config = injectedAnomalies.parse([{ kind: 'leak', share: 0.25, from: '1h', within: '2h' }]);
    const workload = withAnomalies(fleet(20), config, 7);
    const { anomalies } = read(workload, 20);
    expect(anomalies).toHaveLength(5);
    for (const { from } of anomalies) {
      expect(from).toBeGreaterThanOrEqual(12);
      expect(from).toBeLessThan(36);
    }
    expect(read(workload, 20).anomalies).toEqual(anomalies);
    expect(read(withAnomalies(fleet(20), config, 8), 20).anomalies).not.toEqual(anomalies);
    const rare = injectedAnomalies.parse([{ kind: 'leak', share: 0.001, from: '1h', within: '2h' }]);
    expect(read(withAnomalies(fleet(20), rare, 7), 20).anomalies).toHaveLength(1);
  });

  it('leaves a VM a day of peace between two', () => {
    const config = injectedAnomalies.parse([
      { kind: 'leak', share: 0.5, from: '1h', within: '2h' },
      { kind: 'traffic-flood', share: 1, from: '1h', within: '2h' },
    ]);
    const { anomalies } = read(withAnomalies(fleet(10), config, 3), 10);
    expect(new Set(anomalies.map(({ vmId }) => vmId)).size).toBe(anomalies.length);
    expect(anomalies).toHaveLength(10);
  });

  it('is the workload itself where nothing is injected', () => {
    const calm = fleet(1);
    expect(withAnomalies(calm, [], 1)).toBe(calm);
  });

  it('refuses an onset after the end, and a kind that no VM can show', () => {
    expect(() => withAnomalies(fleet(1), one('leak', { from: '9h' }), 1)).toThrow('ANOMALY_AFTER_END');
    const cpuOnly = tinyWorkload([{ demand: Array.from({ length: TICKS }, () => 1) }], TICKS);
    expect(() => withAnomalies(cpuOnly, one('leak'), 1).open().arrivals(0)).toThrow(
      'ANOMALY_NOBODY: no VM can show a leak: none has memory (workload.anomalies.0)',
    );
    expect(() =>
      withAnomalies(fleet(1), one('leak', { applications: ['no'] }), 1)
        .open()
        .arrivals(0),
    ).toThrow('no VM of no can show a leak');
  });
});

describe('bad anomalies of a scenario', () => {
  const scenario = (anomaly: string, more = '') => `apiVersion: foresize/v1
name: x
duration: 3d
workload:
  source: generated
  applications: [{ id: a }]
  anomalies:
    - ${anomaly}
policies: { plain: { kind: static } }
policy: plain
prices: {}
${more}`;
  it.each([
    [
      '{ kind: leak, share: 0.1, from: 3d, within: 1h }',
      'x.yaml:8: workload.anomalies.0.from',
      'after the end',
    ],
    ['{ kind: leak, share: 0, from: 1d }', 'x.yaml:8: workload.anomalies.0.share', 'a share of 0 VMs'],
    ['{ kind: gremlin, share: 0.1 }', 'x.yaml:8: workload.anomalies.0.kind', 'expected one of'],
    ['{ kind: leak, share: 0.1, lasts: 0s }', 'x.yaml:8: workload.anomalies.0.lasts', 'above 0'],
  ])('%s', (anomaly, where, what) => {
    const parse = () => parseScenario(scenario(anomaly), 'x.yaml');
    expect(parse).toThrow(where);
    expect(parse).toThrow(what);
    expect(parse).toThrow('SCENARIO_INVALID');
  });

  it('responses to a policy nobody knows, or two of a kind', () => {
    const good = '{ kind: leak, share: 0.1, from: 1d }';
    expect(() => parseScenario(scenario(good, 'anomalies: { policies: { other: [] } }'), 'x.yaml')).toThrow(
      "no policy is named 'other'",
    );
    expect(() =>
      parseScenario(scenario(good, 'anomalies: { respond: [{ kind: alert }, { kind: alert }] }'), 'x.yaml'),
    ).toThrow('at most one response of each kind');
  });
});
