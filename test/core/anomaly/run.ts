import { AnomalyDetector, type Expected } from '../../../core/anomaly/detector.ts';
import type { AnomalyEvent } from '../../../core/anomaly/events.ts';
import { anomalyParams } from '../../../core/anomaly/params.ts';
import { Fleet } from '../../../core/fleet.ts';
import { Frame, R, RESOURCES, type VmSpec } from '../../../core/model.ts';
import { CalmLoad, DAY, INJECTIONS, type Injection } from './load.ts';

export const EPOCH = Date.UTC(2024, 0, 1);
export const STEP = 300_000;

export function spec(vmId: string): VmSpec {
  return {
    vmId,
    applicationId: 'app',
    userId: 'user',
    requested: [16, 32768, 1e8, 1e8],
    min: [0, 0, 0, 0],
    max: [16, 32768, 1e8, 1e8],
  };
}

/** A detector over a fleet of VMs, with the frame it is fed. */
export function rig(vms: number) {
  const fleet = new Fleet();
  const frame = fleet.register(new Frame());
  const detector = fleet.register(new AnomalyDetector(fleet, anomalyParams.parse({})));
  for (let vm = 0; vm < vms; vm++) {
    const slot = fleet.admit(spec(`vm-${vm}`), 0);
    frame.allocation.set([16, 32768, 1e8, 1e8], slot * R);
  }
  return { fleet, frame, detector };
}

export interface Planned {
  readonly vm: number;
  readonly start: number;
  readonly injection: Injection;
}

/** Runs calm load with the planned anomalies, and gives back all events in order of raising. */
export function run(
  vms: number,
  days: number,
  seed: number,
  withForecast: boolean,
  planned: readonly Planned[] = [],
): AnomalyEvent[] {
  const { frame, detector } = rig(vms);
  const loads = Array.from({ length: vms }, (_, vm) => new CalmLoad(vm, seed));
  const expected: Expected = {
    median: new Float64Array(vms * R),
    lower: new Float64Array(vms * R),
    upper: new Float64Array(vms * R),
  };
  const events = new Set<AnomalyEvent>();
  for (let tick = 0; tick < days * DAY; tick++) {
    frame.tick = tick;
    frame.at = EPOCH + tick * STEP;
    for (let vm = 0; vm < vms; vm++) {
      const load = loads[vm]!;
      load.next(tick);
      for (const { vm: v, start, injection } of planned) {
        if (v === vm && tick >= start && tick < start + injection.ticks)
          injection.apply(load.usage, tick - start, load);
      }
      frame.usage.set(load.usage, vm * R);
      expected.median.set(load.median, vm * R);
      expected.lower.set(load.lower, vm * R);
      expected.upper.set(load.upper, vm * R);
    }
    detector.observe(frame, withForecast ? expected : undefined);
    for (const event of detector.changes) events.add(event);
  }
  return [...events];
}

/** Every kind of anomaly on `each` VMs of its own, at times spread over the last days. */
export function plan(each: number, days: number): Planned[] {
  return Array.from({ length: each * INJECTIONS.length }, (_, vm) => ({
    vm,
    start: (days - 4) * DAY + ((vm * 37) % DAY),
    injection: INJECTIONS[vm % INJECTIONS.length]!,
  }));
}

export interface Found {
  readonly found: number;
  readonly planned: number;
  /** Median ticks from the start to the event. */
  readonly delay: number;
}

/**
 * Matches events with what was planned. An event belongs to an anomaly when it was raised on the VM while it
 * lasted or within 12 ticks after: the return to normal is part of it.
 */
export function match(events: readonly AnomalyEvent[], planned: readonly Planned[]) {
  const byKind = new Map<string, Found>();
  const claimed = new Set<AnomalyEvent>();
  for (const injection of INJECTIONS) {
    const delays: number[] = [];
    const ofKind = planned.filter((p) => p.injection === injection);
    for (const { vm, start } of ofKind) {
      const own = events.filter(
        (e) => e.vmId === `vm-${vm}` && e.raisedTick >= start && e.raisedTick < start + injection.ticks + 12,
      );
      for (const event of own) claimed.add(event);
      const hit = own.find(
        (e) =>
          e.raisedTick < start + injection.ticks &&
          (e.resource === 'joint' || injection.resources.includes(RESOURCES.indexOf(e.resource))),
      );
      if (hit) delays.push(hit.raisedTick - start + 1);
    }
    delays.sort((a, b) => a - b);
    byKind.set(injection.name, {
      found: delays.length,
      planned: ofKind.length,
      delay: delays[delays.length >> 1] ?? Number.NaN,
    });
  }
  return { byKind, falseAlarms: events.filter((e) => !claimed.has(e)), raised: events.length };
}
