import { AnomalyDetector } from '../../../core/anomaly/detector.ts';
import { anomalyParams } from '../../../core/anomaly/params.ts';
import { setResourceAllocationPolicy } from '../../../core/api.ts';
import { Controller, type TickRecord } from '../../../core/controller.ts';
import { ForesizeError } from '../../../core/errors.ts';
import { Fleet } from '../../../core/fleet.ts';
import { createForecaster, historyDepth } from '../../../core/forecast/registry.ts';
import { ForecastBatch } from '../../../core/forecast/types.ts';
import { OUTCOME_NAMES } from '../../../core/intents.ts';
import { Interval } from '../../../core/interval.ts';
import { R, RESOURCES, type Resource, UNITS } from '../../../core/model.ts';
import { Score } from '../../../core/score.ts';
import type {
  AnomalyView,
  DaemonStatus,
  Operations,
  OperationsEvent,
  RecommendationView,
  Stage,
  StageView,
  VmTrack,
} from '../../../live/operations.ts';
import { augursRuntime } from '../../../sim/augurs.ts';
import { SimHypervisor } from '../../../sim/cluster/sim-hypervisor.ts';
import { SimTelemetry } from '../../../sim/cluster/sim-telemetry.ts';
import { Vms } from '../../../sim/cluster/vms.ts';
import { openScenarioWorkload } from '../../../sim/experiment.ts';
import { Population } from '../../../sim/population.ts';
import { parseScenario, type Scenario } from '../../../sim/scenario.ts';
import type { Workload } from '../../../sim/workload/types.ts';

const UPPER = 0.95;
const STAGES: readonly Stage[] = ['shadow', 'canary', 'all'];
type Column = 'usage' | 'pressure' | 'allocation' | 'median' | 'upper';
type Tracks = Record<Column, number[]>[];

/** Three applications of two users each; the evening's numbers of `reports` are made by a static policy. */
export const SCENARIO = `
apiVersion: foresize/v1
name: server fixture
seed: 7
tick: 5m
duration: 21d
warmup: 0s
workload:
  source: generated
  applications:
    - { id: shop, archetype: web, users: 3, vmsPerUser: 2 }
    - { id: orders, archetype: database, users: 2, vmsPerUser: 2 }
    - { id: desk, archetype: dev, users: 4, vmsPerUser: 1 }
    - { id: reports, archetype: analytics, users: 2, vmsPerUser: 1 }
policy: seasonal
policies:
  seasonal: { kind: quantile, forecast: { model: holt-winters } }
  seed: { kind: threshold, up: 1.2, down: 0.8, forecast: { model: last-value } }
  hands-off: { kind: static }
applications: { reports: hands-off }
prices: { violationHour: 0.1 }
`;

/**
 * The real controller over the simulator's VMs, behind the interface the daemon gives its server. What the daemon
 * journals is kept in memory here; recommendations are given, as the advisor would.
 */
export class SimulatedOperations implements Operations {
  readonly controller: Controller;
  connected = true;
  readonly #fleet: Fleet;
  readonly #workload: Workload;
  readonly #vms: Vms;
  readonly #interval: Interval;
  readonly #telemetry: SimTelemetry;
  readonly #population: Population;
  readonly #detector: AnomalyDetector;
  readonly #epochMs: number;
  readonly #tracks = new Map<string, { at: number[]; resources: Tracks }>();
  readonly #anomalies = new Map<string, AnomalyView>();
  readonly #events: OperationsEvent[] = [];
  readonly #listeners = new Set<(event: OperationsEvent) => void>();
  readonly #resizes = { applied: 0, failed: 0, refused: 0 };
  #recommendations: readonly RecommendationView[] = RECOMMENDATIONS;
  #killSwitch = { engaged: false, reason: '', at: 0 };
  #stage: { name: Stage; since: number };
  #tick = -1;
  #decideMs = 0;
  #frozen = 0;

  /** @param shiftMs added to the times of the workload, so that the last tick is about now: whole days */
  static async create(shiftMs = 0, scenarioText = SCENARIO): Promise<SimulatedOperations> {
    const scenario = parseScenario(scenarioText, 'fixture.yaml');
    const { workload } = await openScenarioWorkload({ scenario, baseDir: '.' });
    const fleet = new Fleet();
    const score = fleet.register(new Score(fleet, workload.stepMs));
    const vms = fleet.register(new Vms(fleet, scenario.vms, workload.stepMs));
    const numberOf = (slot: number) => score.numberOf(slot);
    const telemetry = new SimTelemetry(fleet, vms, scenario.telemetry, 1, workload.stepMs, numberOf);
    const forecasts = Object.values(scenario.policies).flatMap((p) => ('forecast' in p ? [p.forecast] : []));
    const controller = await Controller.create({
      config: configOf(scenario),
      fleet,
      telemetry,
      hypervisor: new SimHypervisor(vms, scenario.hypervisor, 2, workload.stepMs, numberOf),
      createForecaster: (forecast, ctx) => createForecaster(forecast, ctx, augursRuntime),
      stepMs: workload.stepMs,
      epochMs: workload.epochMs + shiftMs,
      seed: 1,
      historyDepth: Math.max(...forecasts.map((forecast) => historyDepth(forecast, workload.stepMs))),
      actFrom: 0,
    });
    return new SimulatedOperations(controller, fleet, workload, vms, telemetry, shiftMs);
  }

  private constructor(
    controller: Controller,
    fleet: Fleet,
    workload: Workload,
    vms: Vms,
    telemetry: SimTelemetry,
    shiftMs: number,
  ) {
    this.controller = controller;
    this.#fleet = fleet;
    this.#workload = workload;
    this.#vms = vms;
    this.#telemetry = telemetry;
    this.#interval = fleet.register(new Interval());
    this.#detector = fleet.register(new AnomalyDetector(fleet, anomalyParams.parse({})));
    this.#population = new Population(fleet, workload);
    this.#epochMs = workload.epochMs + shiftMs;
    this.#stage = { name: 'canary', since: this.#epochMs };
  }

  get #at(): number {
    return this.#epochMs + Math.max(0, this.#tick) * this.#workload.stepMs;
  }

  /** Simulates `count` more ticks, in the order of sim/simulate.ts. */
  async run(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const tick = this.#tick + 1;
      const at = this.#epochMs + tick * this.#workload.stepMs;
      if (tick > 0) {
        this.#vms.settle(this.#telemetry.observed, this.#interval);
        this.#telemetry.settled(at);
      }
      this.#population.update(tick);
      this.#population.demand(tick, this.#vms.demand);
      this.#tick = tick;
      const from = performance.now();
      const record = await this.controller.tick(tick, at);
      this.#decideMs = performance.now() - from;
      this.#frozen = record.frozen;
      this.#keep(record);
    }
  }

  #keep(record: TickRecord): void {
    const { frame, intents, slots } = record;
    this.#detector.observe(frame);
    for (const slot of slots) {
      const track = this.#trackOf(this.#fleet.specs[slot]!.vmId);
      track.at.push(record.at);
      track.resources.forEach((columns, r) => {
        const i = slot * R + r;
        columns.usage.push(frame.usage[i]!);
        columns.pressure.push(frame.pressure[i]!);
        columns.allocation.push(frame.allocation[i]!);
      });
    }
    this.#forecast(slots);
    for (let i = 0; i < intents.count; i++) {
      const outcome = OUTCOME_NAMES[intents.outcome[i]!]!;
      const { vmId } = this.#fleet.specs[intents.slot[i]!]!;
      const resource = RESOURCES[intents.resource[i]!]!;
      this.#resizes[outcome === 'failed' || outcome === 'refused' ? outcome : 'applied']++;
      const [low, high] = [intents.from[i]!, intents.to[i]!].map((x) => Number(x.toPrecision(4)));
      this.#say('resize', `${vmId}: ${resource} from ${low} to ${high} ${UNITS[resource]}, ${outcome}`, vmId);
    }
    this.#noteAnomalies();
    this.#say('tick', `tick ${record.tick}: ${slots.length} VMs, ${intents.count} resizes`);
  }

  #trackOf(vmId: string) {
    let track = this.#tracks.get(vmId);
    if (!track) {
      const nothing = () => ({
        usage: [],
        pressure: [],
        allocation: [],
        median: [Number.NaN],
        upper: [Number.NaN],
      });
      track = { at: [], resources: RESOURCES.map(nothing) };
      this.#tracks.set(vmId, track);
    }
    return track;
  }

  /** What is expected of the next tick, one tick ahead of the other columns. */
  #forecast(slots: Int32Array): void {
    for (const slot of slots) {
      const { vmId, applicationId } = this.#fleet.specs[slot]!;
      const forecaster = this.controller.forecasterOf(applicationId);
      const batch = new ForecastBatch(1, 1, [0.5, UPPER]);
      forecaster?.predict(Int32Array.of(slot), batch);
      this.#trackOf(vmId).resources.forEach(({ median, upper }, r) => {
        median.push(forecaster ? batch.values[batch.index(0, r, 0, 0)]! : Number.NaN);
        upper.push(forecaster ? batch.values[batch.index(0, r, 1, 0)]! : Number.NaN);
      });
    }
  }

  #noteAnomalies(): void {
    const time = (tick: number) => this.#epochMs + tick * this.#workload.stepMs;
    for (const event of [...this.#detector.open, ...this.#detector.changes]) {
      const id = `${event.vmId}-${event.resource}-${event.onsetTick}`;
      if (!this.#anomalies.has(id)) this.#say('anomaly', `${event.vmId}: ${event.explanation}`, event.vmId);
      const slot = this.#fleet.slotOf(event.vmId)!;
      const { applicationId, userId } = this.#fleet.specs[slot]!;
      this.#anomalies.set(id, {
        id,
        vmId: event.vmId,
        applicationId,
        userId,
        severity: event.severity,
        explanation: event.explanation,
        beganAt: time(event.onsetTick),
        endedAt: event.endTick === undefined ? null : time(event.endTick),
      });
    }
  }

  #say(kind: OperationsEvent['kind'], text: string, vmId?: string): void {
    const event = {
      seq: this.#events.length + 1,
      at: this.#at,
      kind,
      text,
      ...(vmId === undefined ? {} : { vmId }),
    };
    this.#events.push(event);
    for (const listener of this.#listeners) listener(event);
  }

  status(): DaemonStatus {
    return {
      mode: 'apply',
      startedAt: this.#epochMs,
      uri: 'qemu:///system',
      connected: this.connected,
      tick: this.#tick,
      tickAt: this.#at,
      stepMs: this.#workload.stepMs,
      decideMs: this.#decideMs,
      tickMs: this.#decideMs,
      sampleMs: this.#decideMs,
      overruns: 0,
      vms: this.#fleet.size,
      frozen: this.#frozen,
      killSwitch: this.#killSwitch,
      stage: { ...this.#stage, bundle: BUNDLE.id },
      resizes: this.#resizes,
    };
  }

  track(vmId: string, resource: Resource, ticks: number): VmTrack {
    const track = this.#tracks.get(vmId)!;
    const columns = track.resources[RESOURCES.indexOf(resource)]!;
    const to = track.at.length;
    const cut = (column: readonly number[]) => column.slice(Math.max(0, to - ticks), to);
    return {
      at: cut(track.at),
      usage: cut(columns.usage),
      pressure: cut(columns.pressure),
      allocation: cut(columns.allocation),
      median: cut(columns.median),
      upper: cut(columns.upper),
      upperQuantile: UPPER,
    };
  }

  anomalies(): readonly AnomalyView[] {
    return [...this.#anomalies.values()];
  }

  recommendations(): readonly RecommendationView[] {
    return this.#recommendations;
  }

  stage(): StageView {
    return {
      ...this.#stage,
      bundle: BUNDLE,
      inScope: { shadow: 0, canary: Math.ceil(this.#fleet.size / 5), all: this.#fleet.size }[
        this.#stage.name
      ],
      checks: CHECKS,
    };
  }

  events(after: number, limit: number): readonly OperationsEvent[] {
    return this.#events.filter(({ seq }) => seq > after).slice(-limit);
  }

  subscribe(listener: (event: OperationsEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  async setPolicy(applicationId: string, policyName: string, by: string): Promise<void> {
    setResourceAllocationPolicy(this.controller, applicationId, policyName);
    this.#say('policy', `${applicationId} is under ${policyName} from the next tick on, by ${by}`);
  }

  async engageKillSwitch(reason: string, restore: boolean, by: string): Promise<void> {
    this.#killSwitch = { engaged: true, reason, at: this.#at };
    const limits = restore ? ', limits lifted' : '';
    this.#say('kill-switch', `all resizing stopped by ${by}: ${reason}${limits}`);
  }

  async releaseKillSwitch(by: string): Promise<void> {
    this.#killSwitch = { engaged: false, reason: '', at: this.#at };
    this.#say('kill-switch', `resizing resumed by ${by}`);
  }

  async advanceStage(by: string): Promise<void> {
    const next = STAGES[STAGES.indexOf(this.#stage.name) + 1];
    if (!next) {
      const what = 'the stage is the last one already';
      throw new ForesizeError({ code: 'STAGE_LAST', what, remedy: 'roll back to begin again' });
    }
    this.#stage = { name: next, since: this.#at };
    this.#say('stage', `moved to ${next} by ${by}`);
  }

  async rollBack(reason: string, by: string): Promise<void> {
    this.#stage = { name: 'shadow', since: this.#at };
    this.#say('stage', `rolled back to shadow by ${by}: ${reason}`);
  }

  async answerRecommendation(
    id: string,
    answer: 'accepted' | 'dismissed',
    by: string,
    note: string,
  ): Promise<void> {
    this.#recommendations = this.#recommendations.map((r) => (r.id === id ? { ...r, state: answer } : r));
    this.#say('recommendation', `${id} ${answer} by ${by}${note && `: ${note}`}`);
  }
}

function configOf({ policies, policy, applications, guards, profiler, prices }: Scenario) {
  return { policies, policy, applications, guards, profiler, prices };
}

const BUNDLE = { id: 'b4f19c27d0a3', codeVersion: '0.1.0+5d41c0ffee12', createdAt: '2026-11-20T09:30:00Z' };

const CHECKS: StageView['checks'] = [
  { measure: 'Time starved', unit: '% of VM time', live: 0.21, low: 0.05, high: 0.34, holds: true },
  { measure: 'CPU slack', unit: 'cores per VM', live: 0.41, low: 0.3, high: 0.52, holds: true },
  { measure: 'Resizes', unit: 'per VM and day', live: 31.2, low: 12, high: 28.5, holds: false },
  { measure: 'Cost', unit: 'USD per VM and day', live: null, low: 0.71, high: 0.83, holds: null },
];

const RECOMMENDATIONS: readonly RecommendationView[] = [
  {
    id: 'rightsize-orders',
    kind: 'request',
    subject: 'orders',
    reason: 'Ask for 2 vCPUs less: the four VMs of orders used 1.3 of 8 cores at their busiest in 14 days.',
    saving: { perMonth: 46.15, low: 38.2, high: 52.9, currency: 'USD' },
    risk: 'In 1 of 20 months a peak above the new request would be short for at most 10 minutes.',
    evidence:
      '14 days of 5-minute samples, 16,128 VM-ticks; 99th percentile of usage 1.21 cores (1.15 to 1.30).',
    state: 'open',
  },
  {
    id: 'policy-reports',
    kind: 'policy',
    subject: 'reports',
    reason: 'Put reports under the policy seasonal: its load returns every night at 01:00.',
    saving: { perMonth: 18.4, low: -2.1, high: 33.7, currency: 'USD' },
    risk: 'The saving may be none: its interval reaches below zero.',
    evidence: 'Paired simulation over 14 days: cost 12.6 % lower (-1.4 % to 23.1 %), time starved unchanged.',
    state: 'open',
  },
  {
    id: 'idle-desk-3',
    kind: 'idle',
    subject: 'desk',
    reason: 'Shut off one VM at night: it was below 2 % of a core from 20:00 to 06:00 on 13 of 14 nights.',
    saving: { perMonth: 9.75, low: 8.8, high: 10.3, currency: 'USD' },
    risk: 'Its owner may work late; on one night of 14 it was in use until 23:10.',
    evidence: '1,680 night samples; longest use after 20:00 was 3 h 10 min on 2026-11-12.',
    state: 'dismissed',
  },
];
