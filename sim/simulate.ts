import type { ControllerConfig } from '../core/config.ts';
import { Controller } from '../core/controller.ts';
import { Bill, type BillParts, type BillSetup } from '../core/cost/bill.ts';
import { DecisionLog } from '../core/decision-log.ts';
import { Fleet } from '../core/fleet.ts';
import type { ModelDocument } from '../core/forecast/model-document.ts';
import { createForecaster, historyDepth } from '../core/forecast/registry.ts';
import { persistent } from '../core/forecast/stateful.ts';
import { Interval } from '../core/interval.ts';
import { type Frame, R } from '../core/model.ts';
import { Observed } from '../core/observed.ts';
import { mix } from '../core/rng.ts';
import { Score } from '../core/score.ts';
import { type JobMeasures, JobTracker } from './advisor/job-tracker.ts';
import { SpotMarket, type SpotMeasures, type SpotSetup } from './advisor/spot-market.ts';
import { DetectionBook } from './anomalies/book.ts';
import type { AnomalyMeasures } from './anomalies/measures.ts';
import { augursRuntime } from './augurs.ts';
import { Breather } from './breather.ts';
import { Cluster } from './cluster/cluster.ts';
import type { ClusterMeasures } from './cluster/cluster-measures.ts';
import type { HostsParams } from './cluster/hosts-model.ts';
import type { HypervisorParams } from './cluster/hypervisor-model.ts';
import { SimHypervisor } from './cluster/sim-hypervisor.ts';
import { SimTelemetry, type TelemetryParams } from './cluster/sim-telemetry.ts';
import type { VmModelParams } from './cluster/vm-model.ts';
import { Vms } from './cluster/vms.ts';
import { Kernel, PRIORITY } from './kernel.ts';
import { Oracle } from './oracle.ts';
import { managedResources, Population } from './population.ts';
import { TimelineRecorder, VmRecorder } from './recorder.ts';
import type { RecordedVm, Timeline } from './result.ts';
import type { Workload } from './workload/types.ts';

export interface SimulationSetup {
  readonly controller: ControllerConfig;
  readonly workload: Workload;
  readonly seed: number;
  /** Intervals at the start that are observed but neither acted on nor scored. */
  readonly warmup: number;
  readonly hypervisor: HypervisorParams;
  readonly telemetry: TelemetryParams;
  readonly vms: VmModelParams;
  /** What a VM has when it comes, by resource; without it, or NaN, what was requested. */
  readonly granted?: ((vmId: string) => ArrayLike<number> | undefined) | undefined;
  /** Where the VMs run; without it nothing but their allocations limits them. */
  readonly hosts?: HostsParams | undefined;
  /** How allocations are charged; without it, at the list price. */
  readonly bill?: Omit<BillSetup, 'stepMs'> | undefined;
  /** Applications on spot capacity. */
  readonly spot?: SpotSetup | undefined;
  /** Shown what the controller saw at every tick. */
  readonly onFrame?: ((fleet: Fleet, frame: Frame) => void) | undefined;
  /** Number of VMs whose every tick is kept. */
  readonly record: number;
  /** Also keep what a promotion needs: it costs a forecast a tick. */
  readonly evidence?: boolean | undefined;
  /** Takes the decision log's bytes; they are valid only during the call. */
  readonly onDecisions: (bytes: Uint8Array) => void;
  /** Called now and then with the number of intervals done. */
  readonly onProgress?: ((done: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a live daemon could have seen of a VM in a day, and the models as they were in the end. */
export interface SimulationEvidence {
  /** `sums` is a row of OBSERVED_FIELDS; `day` counts from the start of scoring. */
  readonly days: readonly { readonly vmId: string; readonly day: number; readonly sums: Float64Array }[];
  readonly models: readonly ModelDocument[];
}

export interface Simulation {
  readonly score: Score;
  readonly log: DecisionLog;
  readonly timeline: Timeline;
  readonly recorded: RecordedVm[];
  readonly vmTicks: number;
  readonly cluster?: ClusterMeasures | undefined;
  readonly bill?: BillParts | undefined;
  readonly jobs: JobMeasures;
  readonly spot?: SpotMeasures | undefined;
  /** Where anomalies are looked for. */
  readonly anomalies?: AnomalyMeasures | undefined;
  /** Tensor backend of the forecasts, 'none' where no model needs one. */
  readonly backend: string;
  readonly evidence?: SimulationEvidence | undefined;
}

/**
 * One policy on one workload, from the first interval to the last. At the boundary between two intervals, in
 * this order: the old interval is settled and scored, VMs leave and arrive, the new demand is set, the controller
 * ticks. Deterministic in its arguments.
 */
export async function simulate(setup: SimulationSetup): Promise<Simulation> {
  const { workload, warmup, seed, controller: config } = setup;
  const { stepMs, epochMs, intervals } = workload;
  const fleet = new Fleet();
  const bill = setup.bill && fleet.register(new Bill(fleet, { ...setup.bill, stepMs }));
  const score = fleet.register(new Score(fleet, stepMs, bill));
  const numberOf = (slot: number) => score.numberOf(slot);
  const vms = fleet.register(new Vms(fleet, setup.vms, stepMs));
  if (setup.granted) {
    const { granted } = setup;
    const grant = (slot: number) => {
      const found = granted(fleet.specs[slot]!.vmId);
      for (let r = 0; found && r < R; r++) if (found[r]! >= 0) vms.allocation[slot * R + r] = found[r]!;
    };
    fleet.register({ grow: () => {}, admit: grant, retire: () => {} });
  }
  const interval = fleet.register(new Interval());
  const dayProfile = (slot: number): readonly number[] | undefined => {
    const { applicationId, userId } = fleet.specs[slot]!;
    const cpu = controller.profiler.pair(applicationId, userId)?.resources.cpu;
    return cpu?.daily.map((ratio) => ratio * cpu.mean);
  };
  const cluster =
    setup.hosts && fleet.register(new Cluster(fleet, vms, setup.hosts, stepMs, mix(seed ^ 3), dayProfile));
  const jobs = fleet.register(
    new JobTracker(fleet, stepMs, epochMs + warmup * stepMs, epochMs + intervals * stepMs),
  );
  const spot =
    setup.spot &&
    fleet.register(new SpotMarket(fleet, vms, setup.spot, stepMs, (slot, coreS) => jobs.burden(slot, coreS)));
  /** Demand before spot capacity changes it. */
  let wanted = vms.demand;
  let energyKwh = 0;
  const telemetry = new SimTelemetry(fleet, vms, setup.telemetry, mix(seed ^ 1), stepMs, numberOf);
  const population = new Population(fleet, workload);
  const forecasts = Object.values(config.policies).flatMap((p) => ('forecast' in p ? [p.forecast] : []));
  const controller: Controller = await Controller.create({
    config,
    fleet,
    telemetry,
    hypervisor: new SimHypervisor(vms, setup.hypervisor, mix(seed ^ 2), stepMs, numberOf, cluster),
    createForecaster: async (forecast, ctx) =>
      forecast.model === 'oracle'
        ? new Oracle(workload, (slot) => population.vmOf(slot))
        : createForecaster(forecast, ctx, augursRuntime),
    stepMs,
    epochMs,
    seed,
    historyDepth: Math.max(1, ...forecasts.map((f) => historyDepth(f, stepMs))),
    actFrom: warmup,
  });
  const log = new DecisionLog(numberOf, setup.onDecisions);
  const days: { vmId: string; day: number; sums: Float64Array }[] = [];
  let day = 0;
  const observed = setup.evidence
    ? fleet.register(
        new Observed(controller, config, (vmId, sums) => days.push({ vmId, day, sums: sums.slice() })),
      )
    : undefined;
  const perDay = Math.max(1, Math.round(86_400_000 / stepMs));
  const book =
    config.anomalies &&
    new DetectionBook(fleet, {
      stepMs,
      warmup,
      hostOf: cluster && ((slot) => cluster.reservations.host[slot]!),
    });
  const breather = new Breather();
  const kernel = new Kernel(epochMs);
  let recorder: VmRecorder | undefined;
  let timeline: TimelineRecorder | undefined;
  let vmTicks = 0;

  const settle = (t: number, at: number): void => {
    cluster?.contend();
    spot?.suspend();
    vms.settle(telemetry.observed, interval);
    cluster?.observe(interval.usage, interval.demand);
    spot?.observe(interval.usage);
    if (population.hasJobs) jobs.observe(at, wanted, interval.usage, interval.disturbed);
    telemetry.settled(at);
    vmTicks += fleet.size;
    if (t <= warmup) return;
    const kwh = cluster?.energyKwh ?? 0;
    bill?.observe(at - stepMs, interval.allocation, kwh - energyKwh);
    energyKwh = kwh;
    score.observe(interval);
    timeline?.observe(at, fleet.slots, interval);
    recorder?.observe(at, controller, interval);
  };
  const boundary = (t: number): void => {
    const at = epochMs + t * stepMs;
    if (t > 0) kernel.at(at, PRIORITY.settle, () => settle(t, at));
    if (t === intervals) return;
    kernel.at(at, PRIORITY.churn, () => {
      population.update(t);
      cluster?.churn(t, t >= warmup);
      if (t !== warmup) return;
      // What is recorded is chosen among the VMs that are here when scoring begins.
      const managed = managedResources(fleet);
      timeline = new TimelineRecorder(intervals - warmup, managed);
      if (setup.record > 0)
        recorder = new VmRecorder(pick(fleet, setup.record), upperQuantile(config), managed);
    });
    kernel.at(at, PRIORITY.demand, () => {
      population.demand(t, vms.demand);
      for (const job of population.jobs(t)) jobs.announce(job, population.slotOf(job.vm));
      wanted = spot ? vms.demand.slice() : vms.demand;
      spot?.apply(t, at, t >= warmup);
    });
    kernel.at(at, PRIORITY.tick, async () => {
      const record = await controller.tick(t, at);
      log.append(record);
      setup.onFrame?.(fleet, record.frame);
      if (t >= warmup) {
        score.count(record.intents);
        timeline?.count(record.intents.count);
        recorder?.forecast(controller);
        observed?.observe(record);
        if (t > warmup && (t - warmup) % perDay === 0) {
          observed?.drain();
          day++;
        }
        book?.observe(record, population.anomalies ?? []);
      }
      const pause = breather.pause();
      if (pause) {
        setup.onProgress?.(t);
        await pause;
        setup.signal?.throwIfAborted();
      }
      boundary(t + 1);
    });
  };
  boundary(0);
  const end = epochMs + intervals * stepMs;
  await kernel.run(end + 1);
  score.finish();
  observed?.drain();
  setup.onProgress?.(intervals);
  return {
    score,
    log,
    timeline: timeline!.finish(end),
    recorded: recorder?.finish() ?? [],
    vmTicks,
    cluster: cluster?.measures(),
    bill: bill?.parts,
    jobs: jobs.measures(),
    spot: spot?.measures,
    anomalies: book?.finish(population.anomalies ?? []),
    backend: controller.backend,
    evidence: observed && { days, models: modelsOf(controller) },
  };
}

function modelsOf(controller: Controller): ModelDocument[] {
  const ids = controller.fleet.applications.list;
  const forecasters = new Set(ids.map((id) => controller.forecasterOf(id)));
  return [...forecasters].flatMap((forecaster) => persistent(forecaster)?.models() ?? []);
}

/** VMs spread evenly over those present at the start, in order of their ids. */
function pick(fleet: Fleet, count: number): string[] {
  const ids = Array.from(fleet.slots, (slot) => fleet.specs[slot]!.vmId).sort();
  const n = Math.min(count, ids.length);
  return Array.from({ length: n }, (_, i) => ids[Math.floor(((i + 0.5) * ids.length) / n)]!);
}

/** The quantile drawn as the upper band: the one the default policy provides for, else .95. */
function upperQuantile(config: ControllerConfig): number {
  const policy = config.policies[config.policy];
  return policy && 'quantile' in policy && policy.quantile > 0.5 ? policy.quantile : 0.95;
}
