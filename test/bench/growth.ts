import { controllerSchema } from '../../core/config.ts';
import { MEMORY, R } from '../../core/model.ts';
import { Rng } from '../../core/rng.ts';
import { hypervisorParams } from '../../sim/cluster/hypervisor-model.ts';
import { telemetryParams } from '../../sim/cluster/sim-telemetry.ts';
import { vmModelParams } from '../../sim/cluster/vm-model.ts';
import { simulate } from '../../sim/simulate.ts';
import type { Workload } from '../../sim/workload/types.ts';
import { type BenchRow, bestCpuSeconds } from './row.ts';

const DAY = 288;
const SIZE = [2, 2048, 2e6, 2e6] as const;

interface Size {
  readonly vms: number;
  readonly days: number;
  /** (application, user) pairs; one a VM when left out. */
  readonly pairs?: number;
}

/** Daily cycles of their own phase with noise, worked out as they are asked for. */
function workloadOf({ vms, days, pairs = vms }: Size): Workload {
  const rng = new Rng(1, 'growth');
  const phase = Float64Array.from({ length: vms }, () => rng.uniform());
  const noise = Float64Array.from({ length: 4096 }, () => rng.uniform() - 0.5);
  const spec = (vm: number) => ({
    vmId: `vm${vm}`,
    applicationId: `app${(vm % pairs) % 4}`,
    userId: `user${vm % pairs}`,
    requested: SIZE,
    min: [0.1, 64, 1e4, 1e4] as const,
    max: [8, 16_384, 1e8, 1e8] as const,
  });
  return {
    name: 'growth',
    epochMs: 0,
    stepMs: 300_000,
    intervals: days * DAY,
    open: () => ({
      arrivals: (t) =>
        t > 0
          ? []
          : Array.from({ length: vms }, (_, vm) => ({ vm, spec: spec(vm), until: Number.POSITIVE_INFINITY })),
      demand: (t, count, vm, slot, out) => {
        for (let k = 0; k < count; k++) {
          const turn = (t / DAY + phase[vm[k]!]!) % 1;
          const wave = 1 - Math.abs(2 * turn - 1);
          for (let r = 0; r < R; r++) {
            const e = noise[(t * 31 + vm[k]! * 7 + r * 1021) & 4095]!;
            out[slot[k]! * R + r] =
              SIZE[r]! * (r === MEMORY ? 0.5 + 0.05 * wave + 0.005 * e : 0.5 + 0.3 * wave + 0.05 * e);
          }
        }
      },
    }),
  };
}

/** CPU seconds of a run. */
function seconds(size: Size, policy: object, runs = 2): Promise<number> {
  return bestCpuSeconds(runs, () =>
    simulate({
      controller: controllerSchema.parse({ policies: { policy }, policy: 'policy' }),
      workload: workloadOf(size),
      seed: 1,
      warmup: DAY,
      hypervisor: hypervisorParams.parse({}),
      telemetry: telemetryParams.parse({}),
      vms: vmModelParams.parse({}),
      record: 0,
      onDecisions: () => {},
    }),
  );
}

const LAST_VALUE = { kind: 'threshold' };
const quantile = (forecast: object, horizon?: number) => ({
  kind: 'quantile',
  forecast,
  ...(horizon !== undefined && { horizon }),
});

/** Models by what they are tried on: the dearest on a few VMs. A first fit comes after two days. */
const MODELS: readonly (readonly [string, Size])[] = [
  ['seasonal-naive', { vms: 40, days: 16 }],
  ['holt-winters', { vms: 40, days: 16 }],
  ['prophet-ridge', { vms: 40, days: 16 }],
  ['linear-quantile', { vms: 40, days: 16 }],
  ['lstm', { vms: 20, days: 6 }],
  ['mstl', { vms: 10, days: 6 }],
  ['ets', { vms: 10, days: 6 }],
  ['prophet', { vms: 4, days: 5 }],
];

/** How the cost of a run grows, and what each model adds to it; see docs/scaling.md. */
export async function growthBench(): Promise<BenchRow[]> {
  await seconds({ vms: 100, days: 7 }, LAST_VALUE);
  const perTick = async (size: Size, policy: object) =>
    ((await seconds(size, policy)) / (size.vms * size.days * DAY)) * 1e6;
  const rows: BenchRow[] = [];
  const grid = async (title: string, cells: readonly (readonly [string, Size, object])[]) => {
    let reference: number | undefined;
    for (const [name, size, policy] of cells) {
      const value = await perTick(size, policy);
      reference ??= value;
      rows.push({
        name: `${title}: ${name}`,
        value,
        reference,
        unit: 'us/VM-tick',
        against: 'first of these',
      });
    }
  };
  await grid(
    'VMs',
    [100, 1000, 4000, 16_000].map((vms) => [`${vms}`, { vms, days: vms > 4000 ? 4 : 7 }, LAST_VALUE]),
  );
  await grid(
    'days, 500 VMs',
    [4, 14, 28].map((days) => [`${days}`, { vms: 500, days }, LAST_VALUE]),
  );
  await grid(
    'pairs, 1000 VMs',
    [10, 100, 1000].map((pairs) => [`${pairs}`, { vms: 1000, days: 7, pairs }, LAST_VALUE]),
  );
  for (const model of ['last-value', 'prophet-ridge']) {
    await grid(
      `horizon, ${model}`,
      [1, 12, 72].map((horizon) => [`${horizon}`, { vms: 40, days: 7 }, quantile({ model }, horizon)]),
    );
  }
  for (const [model, size] of MODELS) {
    const reference = await seconds(size, quantile({ model: 'last-value' }));
    const value = await seconds(size, quantile({ model }), 1);
    const pairDays = size.vms * (size.days - 2);
    rows.push({
      name: `${model}, a pair and day`,
      value: ((value - reference) / pairDays) * 1000,
      reference: (reference / pairDays) * 1000,
      unit: 'ms more',
      against: 'all of last-value',
    });
  }
  return rows;
}
