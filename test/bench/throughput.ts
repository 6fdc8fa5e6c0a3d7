import { controllerSchema, type PolicyConfig } from '../../core/config.ts';
import { MEMORY, R } from '../../core/model.ts';
import { Rng } from '../../core/rng.ts';
import { hypervisorParams } from '../../sim/cluster/hypervisor-model.ts';
import { telemetryParams } from '../../sim/cluster/sim-telemetry.ts';
import { vmModelParams } from '../../sim/cluster/vm-model.ts';
import { simulate } from '../../sim/simulate.ts';
import type { Workload } from '../../sim/workload/types.ts';
import { type BenchRow, bestCpuSeconds } from './row.ts';

const VMS = 1000;
const DAY = 288;
const TICKS = 30 * DAY;
/** Of demand that differs; it comes again after that. */
const TABLE = 10 * DAY;
const SIZE = [2, 2048, 2e6, 2e6] as const;

/**
 * Demand of every VM, TABLE x VM x R: a daily cycle of its own phase with 5 % noise for CPU, disk and network;
 * memory moves little.
 */
function demandTable(): Float32Array[] {
  const rng = new Rng(1, 'bench');
  const phase = Float64Array.from({ length: VMS }, () => rng.uniform());
  return Array.from({ length: TABLE }, (_, t) => {
    const row = new Float32Array(VMS * R);
    for (let i = 0; i < row.length; i++) {
      const turn = (t / DAY + phase[(i / R) | 0]!) % 1;
      const swing = i % R === MEMORY ? 0.05 : 0.3;
      const noise = i % R === MEMORY ? 0.005 : 0.05;
      row[i] = SIZE[i % R]! * (0.5 + swing * (1 - Math.abs(2 * turn - 1)) + noise * (rng.uniform() - 0.5));
    }
    return row;
  });
}

function workloadOf(table: readonly Float32Array[]): Workload {
  const spec = (vm: number) => ({
    vmId: `vm${vm}`,
    applicationId: `app${vm % 5}`,
    userId: `user${vm % 20}`,
    requested: SIZE,
    min: [0.1, 64, 1e4, 1e4] as const,
    max: [8, 16_384, 1e8, 1e8] as const,
  });
  return {
    name: 'bench',
    epochMs: 0,
    stepMs: 300_000,
    intervals: TICKS,
    open: () => ({
      arrivals: (t) =>
        t > 0
          ? []
          : Array.from({ length: VMS }, (_, vm) => ({ vm, spec: spec(vm), until: Number.POSITIVE_INFINITY })),
      demand: (t, _count, _vm, _slot, out) => out.set(table[t % TABLE]!),
    }),
  };
}

/** The arithmetic of a tick with last values and the seed policy, and nothing else. */
function bareLastValue(table: readonly Float32Array[]): number {
  const allocation = new Float64Array(VMS * R);
  const used = new Float64Array(VMS * R);
  const granted = new Float64Array(VMS * R);
  const starved = new Float64Array(VMS * R);
  for (let i = 0; i < allocation.length; i++) allocation[i] = SIZE[i % R]!;
  for (const demand of table) {
    for (let i = 0; i < demand.length; i++) {
      const d = demand[i]!;
      const a = allocation[i]!;
      const usage = Math.min(d, a);
      used[i] = used[i]! + usage;
      granted[i] = granted[i]! + a;
      if (d > a) starved[i] = starved[i]! + 300;
      if (usage > 1.2 * a || usage < 0.8 * a) allocation[i] = usage;
    }
  }
  return used[0]! + granted[0]! + starved[0]!;
}

/** The same with a decaying histogram of 176 buckets an index, and the three percentiles VPA takes of it. */
function bareVpa(table: readonly Float32Array[]): number {
  const buckets = 176;
  const weights = new Float32Array(VMS * R * buckets);
  const allocation = new Float64Array(VMS * R);
  for (let i = 0; i < allocation.length; i++) allocation[i] = SIZE[i % R]!;
  let growth = 1;
  for (const demand of table) {
    growth *= 2 ** (1 / DAY);
    for (let i = 0; i < demand.length; i++) {
      const usage = Math.min(demand[i]!, allocation[i]!);
      const base = i * buckets;
      const bucket = Math.min(buckets - 1, Math.floor(Math.log1p((usage / SIZE[i % R]!) * 5) * 20));
      weights[base + bucket] = weights[base + bucket]! + growth;
      let total = 0;
      for (let b = 0; b <= bucket; b++) total += weights[base + b]!;
      if (total > 1e30) allocation[i] = usage;
    }
  }
  return weights[0]!;
}

async function run(workload: Workload, policy: PolicyConfig): Promise<void> {
  await simulate({
    controller: controllerSchema.parse({ policies: { policy }, policy: 'policy' }),
    workload,
    seed: 1,
    warmup: DAY,
    hypervisor: hypervisorParams.parse({}),
    telemetry: telemetryParams.parse({}),
    vms: vmModelParams.parse({}),
    record: 0,
    onDecisions: () => {},
  });
}

/** VM-ticks a second of whole runs, four resources, one simulation thread, beside a bare loop. */
export async function throughput(): Promise<BenchRow[]> {
  const table = demandTable();
  const workload = workloadOf(table);
  const million = (VMS * TICKS) / 1e6;
  const bareMillion = (VMS * TABLE) / 1e6;
  const { policies } = controllerSchema.parse({
    policies: { 'last-value': { kind: 'threshold' }, vpa: { kind: 'vpa' } },
    policy: 'vpa',
  });
  const rows: BenchRow[] = [];
  for (const [name, bare] of [
    ['last-value', bareLastValue],
    ['vpa', bareVpa],
  ] as const) {
    const reference = bareMillion / (await bestCpuSeconds(3, () => bare(table)));
    const value = million / (await bestCpuSeconds(3, () => run(workload, policies[name]!)));
    rows.push({
      name: `run, ${name}`,
      value,
      reference,
      unit: 'M VM-ticks/s',
      against: 'bare typed-array loop',
    });
  }
  return rows;
}
