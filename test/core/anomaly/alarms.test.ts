import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlarmChange, Alarms } from '../../../core/anomaly/alarms.ts';
import { type AnomalyEvent, SEVERITIES } from '../../../core/anomaly/events.ts';
import { Fleet } from '../../../core/fleet.ts';
import { spec } from './run.ts';

const DEDUPE = 6;

function event(vm: number, tick: number, more: Partial<AnomalyEvent> = {}): AnomalyEvent {
  return {
    slot: vm,
    vmId: `vm-${vm}`,
    resource: 'cpu',
    onsetTick: tick,
    raisedTick: tick,
    endTick: undefined,
    outcome: undefined,
    severity: 'low',
    explanation: `cpu at ${tick}`,
    ...more,
  };
}

function alarms(vms: number): Alarms {
  const fleet = new Fleet();
  for (let vm = 0; vm < vms; vm++) fleet.admit(spec(`vm-${vm}`), 0);
  return new Alarms(fleet, DEDUPE);
}

/** Changes by tick, copied: an alarm is rewritten while it lasts. */
function changesOf(all: Alarms): { change: AlarmChange['change']; explanation: string; severity: string }[] {
  return all.changes.map(({ change, alarm }) => ({
    change,
    explanation: alarm.explanation,
    severity: alarm.severity,
  }));
}

describe('Alarms', () => {
  it('joins the events of a VM, speaks of the gravest, and ends after calm', () => {
    const all = alarms(1);
    const cpu = event(0, 10);
    const network = event(0, 12, { resource: 'network', severity: 'high', explanation: 'network' });
    all.update(10, [cpu]);
    expect(changesOf(all)).toEqual([{ change: 'onset', explanation: 'cpu at 10', severity: 'low' }]);
    all.update(12, [network]);
    expect(changesOf(all)).toEqual([{ change: 'graver', explanation: 'network', severity: 'high' }]);
    cpu.endTick = 13;
    network.endTick = 14;
    all.update(16, [cpu, network]);
    expect(all.changes).toEqual([]);
    // The last event ended with tick 14; calm lasts six ticks at tick 20.
    for (let tick = 17; tick < 20; tick++) {
      all.update(tick, []);
      expect(all.changes).toEqual([]);
    }
    all.update(20, []);
    expect(all.changes).toMatchObject([
      { change: 'end', alarm: { id: 'vm-0@10', endTick: 14, resources: ['cpu', 'network'] } },
    ]);
    expect(all.open).toEqual([]);
  });

  it('takes an event within the window for the same alarm', () => {
    const all = alarms(1);
    const first = event(0, 10);
    all.update(10, [first]);
    first.endTick = 11;
    all.update(14, [first]);
    all.update(16, [event(0, 16)]);
    expect(all.changes).toEqual([]);
    expect(all.open).toHaveLength(1);
  });

  it('never raises two for a VM within the window, and ends all it raised', () => {
    const step = fc.record({
      vm: fc.nat(1),
      resource: fc.constantFrom('cpu' as const, 'network' as const),
      severity: fc.constantFrom(...SEVERITIES),
    });
    fc.assert(
      fc.property(fc.array(fc.option(step, { freq: 2 }), { maxLength: 80 }), (steps) => {
        const all = alarms(2);
        const open = new Map<string, AnomalyEvent>();
        const since = new Map<string, number>();
        let raised = 0;
        let ended = 0;
        const look = () => {
          for (const { change, alarm } of all.changes) {
            if (change === 'onset') {
              const last = since.get(alarm.vmId) ?? Number.NEGATIVE_INFINITY;
              expect(alarm.raisedTick - last).toBeGreaterThan(DEDUPE);
              raised++;
            } else if (change === 'end') {
              since.set(alarm.vmId, alarm.endTick!);
              ended++;
            }
          }
        };
        steps.forEach((one, tick) => {
          const changed: AnomalyEvent[] = [];
          if (one) {
            const key = `${one.vm}${one.resource}`;
            const known = open.get(key);
            if (known) {
              known.endTick = tick;
              open.delete(key);
              changed.push(known);
            } else {
              const fresh = event(one.vm, tick, { resource: one.resource, severity: one.severity });
              open.set(key, fresh);
              changed.push(fresh);
            }
          }
          all.update(tick, changed);
          look();
        });
        const end = steps.length;
        for (const one of open.values()) one.endTick = end;
        all.update(end, [...open.values()]);
        look();
        for (let tick = end + 1; tick <= end + DEDUPE; tick++) {
          all.update(tick, []);
          look();
        }
        expect(ended).toBe(raised);
        expect(all.open).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
