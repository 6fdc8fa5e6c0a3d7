import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anomaliesParams, type Response } from '../../../core/anomaly/config.ts';
import { type AnomalyEvent, SEVERITIES } from '../../../core/anomaly/events.ts';
import { Raise } from '../../../core/anomaly/raise.ts';
import { type ResponseChange, Responses } from '../../../core/anomaly/responses.ts';
import { DISK_IO, NETWORK, R } from '../../../core/model.ts';
import type { Hypervisor } from '../../../core/ports.ts';
import { EPOCH, rig, STEP } from './run.ts';

const VMS = 2;
const GRANTED = [16, 32768, 1e8, 1e8] as const;
/** Usage of each resource all the time: the normal level. */
const USED = [2, 4000, 2e6, 5e6] as const;
const LONGEST = 20;
const HOLD = 4;

const PLAN: Response[] = anomaliesParams.parse({
  respond: [
    { kind: 'raise', longest: LONGEST, hold: HOLD },
    { kind: 'isolate', severity: 'low', longest: LONGEST, hold: HOLD, headroom: 1.2 },
  ],
}).respond;

/** VMs that were seen long enough to have a normal level, and a hypervisor that may fail. */
function world() {
  const { fleet, frame, detector } = rig(VMS);
  const raise = fleet.register(new Raise());
  const responses = fleet.register(new Responses(fleet, detector, raise));
  let tick = 0;
  const quarantined = new Set<number>();
  const hypervisor: Hypervisor & { works: boolean } = {
    works: true,
    apply() {},
    quarantine(_at, slot, on) {
      if (!hypervisor.works) return false;
      if (on) quarantined.add(slot);
      else quarantined.delete(slot);
      return true;
    },
  };
  const observe = () => {
    frame.tick = tick;
    frame.at = EPOCH + tick * STEP;
    for (const slot of fleet.slots) frame.usage.set(USED, slot * R);
    detector.observe(frame);
  };
  for (; tick < 150; tick++) observe();
  const desired = new Float64Array(VMS * R);
  /** One tick of a policy that changes nothing. What is wished is granted if the hypervisor works. */
  const pass = async (events: readonly AnomalyEvent[] = []): Promise<ResponseChange[]> => {
    observe();
    responses.begin();
    for (const event of events) if (event.endTick === undefined) responses.answer(event, PLAN, frame, true);
    responses.advance(tick);
    desired.set(frame.allocation.subarray(0, VMS * R));
    responses.impose(frame, desired);
    if (hypervisor.works) frame.allocation.set(desired);
    await responses.move(frame.at, hypervisor);
    tick++;
    return [...responses.changes];
  };
  const event = (slot: number, more: Partial<AnomalyEvent> = {}): AnomalyEvent => ({
    slot,
    vmId: `vm-${slot}`,
    resource: 'network',
    onsetTick: tick,
    raisedTick: tick,
    endTick: undefined,
    outcome: undefined,
    severity: 'high',
    explanation: '',
    ...more,
  });
  return { fleet, frame, raise, responses, quarantined, hypervisor, pass, event, tick: () => tick };
}

describe('isolate', () => {
  it('caps disk and network at the normal level, moves the VM away, and undoes both', async () => {
    const w = world();
    const flood = w.event(0);
    expect(await w.pass([flood])).toMatchObject([{ change: 'begun', kind: 'isolate', vmId: 'vm-0' }]);
    // Usage was 2e6 and 5e6 at all times: the highest hour is that, the band around it has no width.
    expect(w.frame.allocation[DISK_IO]).toBeCloseTo(1.2 * 2e6, -3);
    expect(w.frame.allocation[NETWORK]).toBeCloseTo(1.2 * 5e6, -3);
    expect([...w.frame.allocation.subarray(0, 2)]).toEqual([16, 32768]);
    expect(w.quarantined).toEqual(new Set([0]));
    flood.endTick = w.tick();
    for (let k = 1; k < HOLD; k++) expect(await w.pass([flood])).toEqual([]);
    expect(await w.pass()).toMatchObject([{ change: 'lifted' }]);
    expect([...w.frame.allocation.subarray(0, R)]).toEqual([...GRANTED]);
    expect(w.quarantined).toEqual(new Set());
    expect(await w.pass()).toMatchObject([{ change: 'over' }]);
    expect(w.responses.isolations).toEqual([]);
  });

  it('ends after its longest time though the anomaly lasts, and does not begin again for the same', async () => {
    const w = world();
    const flood = w.event(1);
    const changes: ResponseChange[] = [];
    for (let k = 0; k < 3 * LONGEST; k++) changes.push(...(await w.pass([flood])));
    expect(changes.map(({ change }) => change)).toEqual(['begun', 'lifted', 'over']);
    expect([...w.frame.allocation.subarray(R, 2 * R)]).toEqual([...GRANTED]);
  });

  it('goes on restoring while the hypervisor fails', async () => {
    const w = world();
    const flood = w.event(0);
    await w.pass([flood]);
    w.hypervisor.works = false;
    flood.endTick = w.tick();
    for (let k = 0; k < 50; k++) await w.pass([flood]);
    expect(w.responses.isolations).toMatchObject([{ vmId: 'vm-0', quarantined: true }]);
    w.hypervisor.works = true;
    await w.pass();
    await w.pass();
    expect(w.responses.isolations).toEqual([]);
    expect([...w.frame.allocation.subarray(0, R)]).toEqual([...GRANTED]);
  });

  it('is undone after a restart of the driver from what was written down', async () => {
    const w = world();
    await w.pass([w.event(0)]);
    const written = structuredClone(w.responses.isolations);
    const later = world();
    later.frame.allocation.set(w.frame.allocation);
    later.quarantined.add(0);
    later.responses.resume(written);
    await later.pass();
    await later.pass();
    expect([...later.frame.allocation.subarray(0, R)]).toEqual([...GRANTED]);
    expect(later.quarantined).toEqual(new Set());
    expect(later.responses.isolations).toEqual([]);
  });

  it('ends with the VM', async () => {
    const w = world();
    await w.pass([w.event(0)]);
    w.fleet.retire('vm-0');
    expect(await w.pass()).toMatchObject([{ change: 'over', vmId: 'vm-0' }]);
    expect(w.responses.isolations).toEqual([]);
  });
});

describe('raise', () => {
  it('lasts while the anomaly does and its hold time after', async () => {
    const w = world();
    const loop = w.event(0, { resource: 'cpu', severity: 'low' });
    expect(await w.pass([loop])).toMatchObject([{ change: 'begun', kind: 'raise' }]);
    expect(w.raise.active).toBe(1);
    loop.endTick = w.tick();
    for (let k = 1; k < HOLD; k++) await w.pass([loop]);
    expect(w.raise.active).toBe(1);
    expect(await w.pass()).toMatchObject([{ change: 'over', kind: 'raise' }]);
    expect(w.raise.active).toBe(0);
  });

  it('lifts the need of the resources it names to the higher quantile, times the factor', () => {
    const w = world();
    w.raise.set(1, 0, 0.99, 1.5);
    const forecaster = {
      name: 'quantile',
      grow() {},
      admit() {},
      observe() {},
      predict() {},
      peak(slots: Int32Array, _horizon: number, quantile: number, out: Float64Array) {
        for (const slot of slots) out.fill(100 * quantile, slot * R, slot * R + R);
      },
    };
    const need = new Float64Array(VMS * R).fill(90);
    w.raise.lift(forecaster, w.fleet.slots, 3, need);
    // 1.5 x the 99 that the .99 quantile says, in place of 90; all else as it was.
    expect([...need]).toEqual([90, 90, 90, 90, 148.5, 90, 90, 90]);
  });
});

it('every response ends, and every VM has what it had, whatever happens meanwhile', async () => {
  const step = fc.record({
    slot: fc.nat(VMS - 1),
    resource: fc.constantFrom('cpu' as const, 'network' as const, 'diskIo' as const, 'joint' as const),
    severity: fc.constantFrom(...SEVERITIES),
    works: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(step, { freq: 2 }), { maxLength: 60 }), async (steps) => {
      const w = world();
      const open = new Map<string, AnomalyEvent>();
      const changes: ResponseChange[] = [];
      for (const one of steps) {
        const changed: AnomalyEvent[] = [];
        if (one) {
          w.hypervisor.works = one.works;
          const key = `${one.slot}${one.resource}`;
          const known = open.get(key);
          if (known) known.endTick = w.tick();
          const event = known ?? w.event(one.slot, { resource: one.resource, severity: one.severity });
          if (known) open.delete(key);
          else open.set(key, event);
          changed.push(event);
        }
        changes.push(...(await w.pass(changed)));
      }
      w.hypervisor.works = true;
      // Some anomalies never end: the longest time must do.
      for (let k = 0; k < LONGEST + 3; k++) changes.push(...(await w.pass()));
      const count = (change: string) => changes.filter((c) => c.change === change).length;
      expect(w.responses.isolations).toEqual([]);
      expect(w.raise.active).toBe(0);
      expect(w.quarantined.size).toBe(0);
      for (let slot = 0; slot < VMS; slot++) {
        expect([...w.frame.allocation.subarray(slot * R, slot * R + R)]).toEqual([...GRANTED]);
      }
      expect(count('over')).toBeLessThanOrEqual(count('begun'));
    }),
    { numRuns: 60 },
  );
});
