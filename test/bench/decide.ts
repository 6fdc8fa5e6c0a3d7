import { controllerSchema } from '../../core/config.ts';
import { MEMORY, R } from '../../core/model.ts';
import { Rng } from '../../core/rng.ts';
import { CoreDriver } from '../../live/core-driver.ts';
import type { JournaledFrame } from '../../live/store/frame-codec.ts';
import type { BenchRow } from './row.ts';

const VMS = 1000;
const DAY = 288;
const TICKS = 3 * DAY;
const STEP_MS = 300_000;
const SIZE = [2, 2048, 2e6, 2e6] as const;
const TARGET_MS = 200;

/**
 * The core as the daemon drives it: 1,000 VMs of 20 users with prophet-ridge, three days, training included. CPU time of
 * each tick on all threads, the first day left out.
 */
export async function decideBench(): Promise<BenchRow[]> {
  const controller = controllerSchema.parse({
    policies: { ridge: { kind: 'quantile', forecast: { model: 'prophet-ridge', minDays: 1 } } },
    policy: 'ridge',
  });
  const driver = await CoreDriver.create({ controller, seed: 1, stepMs: STEP_MS, epochMs: 0 }, 0);
  const arrived = Array.from({ length: VMS }, (_, vm) => ({
    uuid: `uuid${vm}`,
    spec: {
      vmId: `vm${vm}`,
      applicationId: `app${vm % 5}`,
      userId: `user${vm % 20}`,
      requested: SIZE,
      min: [0.1, 64, 1e4, 1e4] as const,
      max: [8, 16_384, 1e8, 1e8] as const,
    },
  }));
  await driver.take({ kind: 'fleet', at: 0, tick: 0, departed: [], arrived });
  const rng = new Rng(1, 'decide');
  const phase = Float64Array.from({ length: VMS }, () => rng.uniform());
  const allocation = new Float64Array(VMS * R);
  for (let i = 0; i < allocation.length; i++) allocation[i] = SIZE[i % R]!;
  const ms: number[] = [];
  for (let tick = 0; tick < TICKS; tick++) {
    const usage = allocation.map((_, i) => {
      const turn = (tick / DAY + phase[(i / R) | 0]!) % 1;
      const swing = i % R === MEMORY ? 0.05 : 0.3;
      return SIZE[i % R]! * (0.5 + swing * (1 - Math.abs(2 * turn - 1)) + 0.05 * (rng.uniform() - 0.5));
    });
    const at = tick * STEP_MS;
    const frame: JournaledFrame = {
      tick,
      at,
      act: true,
      vms: Int32Array.from({ length: VMS }, (_, vm) => vm),
      usage,
      pressure: usage.map((used, i) => Math.max(0, 1 - allocation[i]! / used)),
      allocation,
      sampledAt: new Float64Array(VMS).fill(at),
      oomKills: new Uint16Array(VMS),
    };
    const before = process.cpuUsage();
    await driver.tick(frame, true, (_at, intents) => {
      for (let k = 0; k < intents.count; k++)
        allocation[driver.numberOf(intents.slot[k]!) * R + intents.resource[k]!] = intents.to[k]!;
      intents.outcome.fill(1, 0, intents.count);
    });
    const { user, system } = process.cpuUsage(before);
    if (tick >= DAY) ms.push((user + system) / 1000);
  }
  ms.sort((a, b) => a - b);
  const row = (name: string, q: number): BenchRow => ({
    name: `decide, ${VMS} VMs, prophet-ridge, ${name}`,
    value: ms[Math.ceil(q * ms.length) - 1]!,
    reference: TARGET_MS,
    unit: 'CPU ms/tick',
    against: 'target at p99',
  });
  return [row('median', 0.5), row('p99', 0.99)];
}
