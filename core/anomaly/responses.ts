import type { Fleet } from '../fleet.ts';
import { DISK_IO, type Frame, grown, NETWORK, type PerSlot, R, RESOURCES } from '../model.ts';
import type { Hypervisor } from '../ports.ts';
import { rank } from './alarms.ts';
import type { IsolateResponse, RaiseResponse, Response } from './config.ts';
import type { AnomalyDetector } from './detector.ts';
import type { AnomalyEvent } from './events.ts';
import type { Raise } from './raise.ts';

/** `lifted`: the cap is gone and what was before is being restored; it is `over` once that is granted again. */
export interface ResponseChange {
  readonly change: 'begun' | 'lifted' | 'over';
  readonly kind: 'raise' | 'isolate';
  readonly slot: number;
  readonly vmId: string;
}

/** An isolation as plain data, for a driver that must restore allocations after a restart of its own. */
export interface Isolation {
  readonly vmId: string;
  /** Allocation when it began, by resource; NaN where nothing was capped. */
  readonly before: readonly number[];
  readonly quarantined: boolean;
}

interface Standing {
  /** undefined for an isolation from before a restart, of which only the undoing is left. */
  readonly response: RaiseResponse | IsolateResponse | undefined;
  readonly slot: number;
  readonly vmId: string;
  readonly since: number;
  /** Anomalies it answers, and the last tick one of them lasted. */
  readonly events: Set<AnomalyEvent>;
  lasted: number;
  state: 'on' | 'lifted' | 'over';
  /** Of an isolation: what is granted at most, and what was granted before; NaN where nothing is capped. */
  readonly cap: Float64Array;
  readonly before: Float64Array;
  quarantine: 'none' | 'wanted' | 'there';
}

const CAPPED = [DISK_IO, NETWORK] as const;
/** An allocation this close to the one before counts as restored. */
const ALMOST = 1 - 1e-9;

/**
 * What is done about anomalies, besides telling: at most one `raise` and one `isolate` a VM. Each ends when the
 * anomalies it answers have been over for its hold time, or after its longest time, and an anomaly is answered once. An
 * isolation is over only when the VM has again what it had before: that is asked for tick after tick.
 *
 * Wishes go through the guards like a policy's; only the pressure guard lets a cap pass.
 */
export class Responses implements PerSlot {
  /** What changed in this tick, and with VMs that went before it. */
  readonly changes: ResponseChange[] = [];
  /** 1 where a cap is what is wished, slot x R. */
  capped = new Uint8Array(0);
  readonly #fleet: Fleet;
  readonly #detector: AnomalyDetector;
  readonly #raise: Raise;
  readonly #answered = new WeakSet<AnomalyEvent>();
  #standing: Standing[] = [];
  readonly #gone: ResponseChange[] = [];

  constructor(fleet: Fleet, detector: AnomalyDetector, raise: Raise) {
    this.#fleet = fleet;
    this.#detector = detector;
    this.#raise = raise;
  }

  /** Isolations that are not over. */
  get isolations(): readonly Isolation[] {
    return this.#standing
      .filter((one) => kindOf(one) === 'isolate')
      .map(({ vmId, before, quarantine }) => ({
        vmId,
        before: [...before],
        quarantined: quarantine === 'there',
      }));
  }

  grow(capacity: number): void {
    this.capped = grown(this.capped, capacity * R);
  }

  admit(slot: number): void {
    this.capped.fill(0, slot * R, slot * R + R);
  }

  retire(slot: number): void {
    for (const one of this.#standing) {
      if (one.slot !== slot) continue;
      one.state = 'over';
      this.#gone.push(changeOf(one, 'over'));
    }
    this.#sweep();
  }

  /** Call first in a tick. */
  begin(): void {
    this.changes.length = 0;
    this.changes.push(...this.#gone.splice(0));
  }

  /**
   * Answers an anomaly that began or got graver.
   * @param raisable whether the VM's policy has a quantile to raise
   */
  answer(event: AnomalyEvent, plan: readonly Response[], frame: Frame, raisable: boolean): void {
    for (const response of plan) {
      if (response.kind === 'alert' || (response.kind === 'raise' && !raisable)) continue;
      if (rank(event.severity) < rank(response.severity) || !response.on.includes(event.resource)) continue;
      const known = this.#standing.find((one) => one.slot === event.slot && kindOf(one) === response.kind);
      if (known?.state === 'on') known.events.add(event);
      else if (!this.#answered.has(event)) this.#begin(event, response, frame, known);
      this.#answered.add(event);
    }
  }

  /** Ends what has lasted long enough, or whose anomalies are over. */
  advance(tick: number): void {
    for (const one of this.#standing) {
      if (one.state !== 'on') continue;
      for (const event of one.events) {
        if (event.endTick === undefined) one.lasted = tick;
        else one.events.delete(event);
      }
      const { longest, hold } = one.response!;
      const over = one.events.size === 0 && tick - one.lasted >= hold;
      if (over || tick - one.since >= longest) this.#lift(one);
    }
    this.#sweep();
  }

  /** Caps what policies want of isolated VMs, and wishes for what was before where an isolation has been lifted. */
  impose(frame: Frame, desired: Float64Array): void {
    for (const one of this.#standing) {
      if (kindOf(one) === 'raise') continue;
      if (one.state === 'on') this.#cap(one, desired);
      else if (this.#restored(one, frame, desired) && one.quarantine === 'none') this.#end(one);
    }
    this.#sweep();
  }

  #cap(one: Standing, desired: Float64Array): void {
    for (const r of CAPPED) {
      const i = one.slot * R + r;
      // False for NaN: no cap.
      const above = desired[i]! > one.cap[r]!;
      this.capped[i] = above ? 1 : 0;
      if (above) desired[i] = one.cap[r]!;
    }
  }

  #restored(one: Standing, frame: Frame, desired: Float64Array): boolean {
    let restored = true;
    for (const r of CAPPED) {
      const i = one.slot * R + r;
      const before = Math.min(one.before[r]!, this.#fleet.max[i]!);
      if (!(frame.allocation[i]! < before * ALMOST)) continue;
      restored = false;
      desired[i] = Math.max(desired[i]!, before);
    }
    return restored;
  }

  /** Whether anybody waits to be moved. */
  get moving(): boolean {
    return this.#standing.some(
      ({ state, quarantine }) => quarantine === (state === 'on' ? 'wanted' : 'there'),
    );
  }

  /** Moves VMs to quarantine, and back. */
  async move(at: number, hypervisor: Hypervisor): Promise<void> {
    for (const one of this.#standing) {
      const on = one.state === 'on';
      if (one.quarantine !== (on ? 'wanted' : 'there')) continue;
      if (!hypervisor.quarantine) one.quarantine = 'none';
      else if (await hypervisor.quarantine(at, one.slot, on)) one.quarantine = on ? 'there' : 'none';
    }
  }

  /** Takes up isolations from before a restart of the driver: what they capped is restored. */
  resume(isolations: readonly Isolation[]): void {
    for (const { vmId, before, quarantined } of isolations) {
      const slot = this.#fleet.slotOf(vmId);
      if (slot === undefined) continue;
      this.#standing.push({
        response: undefined,
        slot,
        vmId,
        since: 0,
        events: new Set(),
        lasted: 0,
        state: 'lifted',
        cap: new Float64Array(R).fill(Number.NaN),
        before: Float64Array.from(before),
        quarantine: quarantined ? 'there' : 'none',
      });
    }
  }

  #begin(
    event: AnomalyEvent,
    response: RaiseResponse | IsolateResponse,
    frame: Frame,
    lifted: Standing | undefined,
  ): void {
    const { slot, vmId } = event;
    const one: Standing = {
      response,
      slot,
      vmId,
      since: frame.tick,
      events: new Set([event]),
      lasted: frame.tick,
      state: 'on',
      cap: new Float64Array(R).fill(Number.NaN),
      before: new Float64Array(R).fill(Number.NaN),
      quarantine: lifted?.quarantine ?? 'none',
    };
    if (response.kind === 'raise') {
      for (const name of response.on) {
        if (name !== 'joint')
          this.#raise.set(slot, RESOURCES.indexOf(name), response.quantile, response.factor);
      }
    } else {
      for (const r of CAPPED) {
        const i = slot * R + r;
        if (this.#fleet.max[i] === 0) continue;
        one.cap[r] = this.#detector.normal(i) * response.headroom;
        // While one isolation is being undone, what was before is what was before that.
        one.before[r] = lifted ? lifted.before[r]! : frame.allocation[i]!;
      }
      if (response.quarantine && one.quarantine === 'none') one.quarantine = 'wanted';
      if (lifted) lifted.state = 'over';
    }
    this.#standing.push(one);
    this.changes.push(changeOf(one, 'begun'));
  }

  #lift(one: Standing): void {
    if (kindOf(one) === 'raise') {
      this.#raise.clear(one.slot);
      this.#end(one);
      return;
    }
    one.state = 'lifted';
    if (one.quarantine === 'wanted') one.quarantine = 'none';
    for (const r of CAPPED) this.capped[one.slot * R + r] = 0;
    this.changes.push(changeOf(one, 'lifted'));
  }

  #end(one: Standing): void {
    one.state = 'over';
    this.changes.push(changeOf(one, 'over'));
  }

  #sweep(): void {
    if (this.#standing.some(({ state }) => state === 'over')) {
      this.#standing = this.#standing.filter(({ state }) => state !== 'over');
    }
  }
}

function kindOf({ response }: Standing): ResponseChange['kind'] {
  return response?.kind ?? 'isolate';
}

function changeOf(one: Standing, change: ResponseChange['change']): ResponseChange {
  return { change, kind: kindOf(one), slot: one.slot, vmId: one.vmId };
}
