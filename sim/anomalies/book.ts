import type { Alarm } from '../../core/anomaly/alarms.ts';
import type { TickRecord } from '../../core/controller.ts';
import type { Fleet } from '../../core/fleet.ts';
import type { InjectedAnomaly } from '../workload/types.ts';
import { TOLERANCE } from './matching.ts';
import { type AnomalyMeasures, anomalyMeasures } from './measures.ts';

/** Takes down the alarms of a run's scored time, and holds them against what was injected. */
export class DetectionBook {
  readonly #fleet: Fleet;
  readonly #stepMs: number;
  readonly #warmup: number;
  readonly #hostOf: ((slot: number) => number) | undefined;
  readonly #alarms: { readonly alarm: Alarm; readonly neighbour: boolean }[] = [];
  readonly #standing = { raise: 0, isolate: 0 };
  readonly #responses = { raised: 0, isolated: 0, raisedVmTicks: 0, isolatedVmTicks: 0 };
  #vmTicks = 0;

  /** @param hostOf the host a VM runs on, -1 = none, where there are hosts */
  constructor(
    fleet: Fleet,
    {
      stepMs,
      warmup,
      hostOf,
    }: { stepMs: number; warmup: number; hostOf?: ((slot: number) => number) | undefined },
  ) {
    this.#fleet = fleet;
    this.#stepMs = stepMs;
    this.#warmup = warmup;
    this.#hostOf = hostOf;
  }

  /** Takes in a tick of the scored time. @param injected what is injected into the VMs that are here */
  observe(record: TickRecord, injected: readonly InjectedAnomaly[]): void {
    this.#vmTicks += this.#fleet.size;
    for (const { change, alarm } of record.alarms) {
      if (change !== 'onset') continue;
      this.#alarms.push({ alarm, neighbour: this.#hasNoisyNeighbour(alarm, injected) });
    }
    const responses = this.#responses;
    for (const { change, kind } of record.responses) {
      if (change === 'begun') {
        this.#standing[kind]++;
        responses[kind === 'raise' ? 'raised' : 'isolated']++;
      } else if (change === 'lifted' || kind === 'raise') this.#standing[kind]--;
    }
    responses.raisedVmTicks += this.#standing.raise;
    responses.isolatedVmTicks += this.#standing.isolate;
  }

  #hasNoisyNeighbour(alarm: Alarm, injected: readonly InjectedAnomaly[]): boolean {
    const host = this.#hostOf?.(alarm.slot) ?? -1;
    if (host < 0) return false;
    return injected.some(({ kind, vmId, from, to }) => {
      if (kind !== 'noisy-neighbour' || alarm.raisedTick <= from || alarm.raisedTick > to + TOLERANCE)
        return false;
      const slot = this.#fleet.slotOf(vmId);
      return slot !== undefined && slot !== alarm.slot && this.#hostOf!(slot) === host;
    });
  }

  finish(injected: readonly InjectedAnomaly[]): AnomalyMeasures {
    const truths = injected.map(({ vmId, kind, from, to }) => ({
      vmId,
      kind,
      // Interval i is seen at tick i + 1.
      first: from + 1,
      last: to,
      scored: from >= this.#warmup,
    }));
    const alarms = this.#alarms.map(({ alarm, neighbour }) => ({
      vmId: alarm.vmId,
      applicationId: alarm.applicationId,
      onset: alarm.onsetTick,
      raised: alarm.raisedTick,
      end: alarm.endTick ?? null,
      severity: alarm.severity,
      resources: [...alarm.resources],
      explanation: alarm.explanation,
      neighbour,
    }));
    const vmDays = (this.#vmTicks * this.#stepMs) / 86_400_000;
    return anomalyMeasures(alarms, truths, this.#responses, {
      vmDays,
      stepMs: this.#stepMs,
      tolerance: TOLERANCE,
    });
  }
}
