import type { AlarmChange } from './anomaly/alarms.ts';
import type { ResponseChange } from './anomaly/responses.ts';
import { AnomalyWatch } from './anomaly/watch.ts';
import type { ControllerConfig, ForecastConfig } from './config.ts';
import { DemandEstimate } from './demand-estimate.ts';
import { ForesizeError } from './errors.ts';
import type { Fleet } from './fleet.ts';
import type { ForecastContext, Forecaster } from './forecast/types.ts';
import { History } from './history.ts';
import { IntentBatch } from './intents.ts';
import { Frame, grown, type PerSlot, R } from './model.ts';
import { Guards } from './policy/guards.ts';
import { createPolicy } from './policy/registry.ts';
import type { Policy } from './policy/types.ts';
import type { AlertSink, Hypervisor, Telemetry } from './ports.ts';
import { Profiler } from './profiler.ts';

/** Makes the forecaster a configuration names. Asynchronous: some load a tensor backend first. */
export type ForecasterFactory = (config: ForecastConfig, ctx: ForecastContext) => Promise<Forecaster>;

export interface ControllerSetup {
  readonly config: ControllerConfig;
  readonly fleet: Fleet;
  readonly telemetry: Telemetry;
  readonly hypervisor: Hypervisor;
  readonly createForecaster: ForecasterFactory;
  /** Length of a tick and time of tick 0, ms. */
  readonly stepMs: number;
  readonly epochMs: number;
  readonly seed: number;
  /** Ticks of history to retain: what the forecasters of the configuration look back on. */
  readonly historyDepth: number;
  /** Ticks before this one are observed but not acted on. */
  readonly actFrom: number;
  /** Told of anomalies, where the configuration looks for them. */
  readonly alerts?: AlertSink | undefined;
}

const NOTHING: readonly never[] = [];

/** What one pass of the loop saw and did. The same object every tick: copy what you keep. */
export interface TickRecord {
  tick: number;
  at: number;
  readonly slots: Int32Array;
  readonly frame: Frame;
  readonly intents: IntentBatch;
  /** VMs left alone because their telemetry was stale. */
  frozen: number;
  /** Alarms that began, got graver or ended; none where nobody looks for anomalies. */
  readonly alarms: readonly AlarmChange[];
  /** Responses to them that began or ended. */
  readonly responses: readonly ResponseChange[];
}

/**
 * The decision core: one tick, one way.
 *
 *   telemetry -> demand estimate -> history -> profiler -> forecasters -> anomalies -> policies -> responses
 *     -> guards -> hypervisor
 *
 * The driver owns time: it calls `tick` with the number and the time, from a simulated or a wall clock.
 */
export class Controller implements PerSlot {
  readonly fleet: Fleet;
  readonly history: History;
  readonly profiler: Profiler;
  /** Who looks for anomalies; undefined where the configuration does not ask for it. */
  readonly anomalies: AnomalyWatch | undefined;
  readonly stepMs: number;
  readonly epochMs: number;
  readonly #setup: ControllerSetup;
  readonly #frame: Frame;
  readonly #estimate: DemandEstimate;
  readonly #forecasters: ReadonlyMap<string, Forecaster>;
  readonly #policies: ReadonlyMap<string, Policy>;
  readonly #guards: Guards;
  readonly #intents = new IntentBatch();
  readonly #policyOf = new Map<string, string>();
  #groups: { policy: Policy; slots: Int32Array; forecaster: Forecaster | undefined }[] = [];
  #groupsStale = true;
  #desired = new Float64Array(0);

  private constructor(setup: ControllerSetup, history: History, forecasters: Map<string, Forecaster>) {
    const { fleet, config, stepMs } = setup;
    this.#setup = setup;
    this.fleet = fleet;
    this.history = history;
    this.stepMs = stepMs;
    this.epochMs = setup.epochMs;
    this.#frame = fleet.register(new Frame());
    this.#estimate = new DemandEstimate(fleet);
    this.profiler = fleet.register(new Profiler(config.profiler, fleet, stepMs));
    this.#forecasters = forecasters;
    const policyOf = (applicationId: string) => {
      const name = this.policyOf(applicationId);
      const { kind } = config.policies[name]!;
      return { name, raisable: kind === 'quantile' || kind === 'threshold' };
    };
    this.anomalies =
      config.anomalies &&
      fleet.register(new AnomalyWatch(config.anomalies, { fleet, stepMs, policyOf, alerts: setup.alerts }));
    const raise = this.anomalies?.raise;
    const policies = new Map<string, Policy>();
    for (const [name, policy] of Object.entries(config.policies)) {
      const forecaster = 'forecast' in policy ? forecasters.get(forecastKey(policy.forecast)) : undefined;
      policies.set(name, fleet.register(createPolicy(policy, { fleet, stepMs, forecaster, raise })));
    }
    this.#policies = policies;
    this.#guards = fleet.register(new Guards(config.guards, fleet, stepMs));
    for (const [application, policy] of Object.entries(config.applications)) {
      this.setPolicy(application, policy);
    }
    fleet.register(this);
  }

  static async create(setup: ControllerSetup): Promise<Controller> {
    const { fleet, config, stepMs, epochMs, seed } = setup;
    const history = new History(fleet, setup.historyDepth);
    const forecasters = new Map<string, Forecaster>();
    for (const policy of Object.values(config.policies)) {
      if (!('forecast' in policy)) continue;
      const key = forecastKey(policy.forecast);
      if (forecasters.has(key)) continue;
      const ctx = { fleet, history, stepMs, epochMs, seed };
      forecasters.set(key, fleet.register(await setup.createForecaster(policy.forecast, ctx)));
    }
    return new Controller(setup, history, forecasters);
  }

  grow(capacity: number): void {
    this.#desired = grown(this.#desired, capacity * R);
  }

  admit(): void {
    this.#groupsStale = true;
  }

  retire(): void {
    this.#groupsStale = true;
  }

  /** Tensor backends the forecasters compute with, or 'none'. */
  get backend(): string {
    const names = new Set([...this.#forecasters.values()].flatMap((f) => f.backend ?? []));
    return names.size === 0 ? 'none' : [...names].sort().join('+');
  }

  /** What forecasts, one for each forecast that is configured. */
  get forecasters(): readonly Forecaster[] {
    return [...this.#forecasters.values()];
  }

  /** What it was made with. */
  get config(): ControllerConfig {
    return this.#setup.config;
  }

  /** Names of the configured policies. */
  get policies(): readonly string[] {
    return [...this.#policies.keys()];
  }

  /** The policy that governs an application: its own, else the configuration's default. */
  policyOf(applicationId: string): string {
    return this.#policyOf.get(applicationId) ?? this.#setup.config.policy;
  }

  /** @throws ForesizeError POLICY_UNKNOWN */
  setPolicy(applicationId: string, policyName: string): void {
    if (!this.#policies.has(policyName)) {
      throw new ForesizeError({
        code: 'POLICY_UNKNOWN',
        what: `no policy is named '${policyName}'`,
        where: `applications.${applicationId}`,
        remedy: `use one of: ${this.policies.join(', ')}`,
      });
    }
    this.#policyOf.set(applicationId, policyName);
    this.#groupsStale = true;
  }

  /** The forecaster behind an application's policy, if it has one. */
  forecasterOf(applicationId: string): Forecaster | undefined {
    const policy = this.#setup.config.policies[this.policyOf(applicationId)];
    return policy && 'forecast' in policy ? this.#forecasters.get(forecastKey(policy.forecast)) : undefined;
  }

  /** The quantile an application's policy provides for, if it names one. */
  upperQuantileOf(applicationId: string): number | undefined {
    const policy = this.#setup.config.policies[this.policyOf(applicationId)];
    return policy && 'quantile' in policy ? policy.quantile : undefined;
  }

  /** Takes note of a resize made before this controller was, so that its cooldown is kept. */
  noteResize(slot: number, resource: number, tick: number): void {
    this.#guards.note(slot * R + resource, tick);
  }

  /**
   * One pass of the loop. `tick` counts up without a gap; `at` is its time in ms since the epoch.
   * @param act false to observe only: wishes go no further
   */
  async tick(tick: number, at: number, act = tick >= this.#setup.actFrom): Promise<TickRecord> {
    const { telemetry, hypervisor, actFrom } = this.#setup;
    const frame = this.#frame;
    frame.tick = tick;
    frame.at = at;
    // Drivers and forecasters of the simulator answer at once; awaiting them anyway would cost a turn each.
    const read = telemetry.read(at, frame);
    if (read) await read;
    const seen = this.#estimate.update(frame);
    this.history.append(seen);
    this.profiler.observe(seen);
    for (const forecaster of this.#forecasters.values()) {
      const fitted = forecaster.observe(seen);
      if (fitted) await fitted;
    }
    const { anomalies } = this;
    anomalies?.observe(frame, tick >= actFrom);
    const slots = this.fleet.slots;
    const intents = this.#intents;
    intents.clear();
    this.#decide(frame);
    anomalies?.responses.impose(frame, this.#desired);
    if (act) {
      this.#guards.pass(
        frame,
        slots,
        this.#desired,
        (index, from, to) => intents.add((index / R) | 0, index % R, from, to),
        anomalies?.responses.capped,
      );
      if (intents.count > 0) {
        const applied = hypervisor.apply(at, intents);
        if (applied) await applied;
      }
      if (anomalies?.responses.moving) await anomalies.responses.move(at, hypervisor);
    }
    anomalies?.foresee(tick, this.#groups);
    return {
      tick,
      at,
      slots,
      frame,
      intents,
      frozen: this.#guards.frozen,
      alarms: anomalies?.alarms.changes ?? NOTHING,
      responses: anomalies?.responses.changes ?? NOTHING,
    };
  }

  /** Fills `desired` with the current allocation, then lets each policy change its VMs' part. */
  #decide(frame: Frame): void {
    const length = this.fleet.rows * R;
    const desired = this.#desired;
    desired.set(frame.allocation.subarray(0, length));
    if (this.#groupsStale) this.#regroup();
    for (const group of this.#groups) group.policy.decide(frame, group.slots, desired);
  }

  /** Whose forecasts a policy's VMs are held against: not perfect foresight's, which foresees the anomaly too. */
  #expectationOf(policyName: string): Forecaster | undefined {
    const policy = this.#setup.config.policies[policyName];
    return policy && 'forecast' in policy && policy.forecast.model !== 'oracle'
      ? this.#forecasters.get(forecastKey(policy.forecast))
      : undefined;
  }

  #regroup(): void {
    this.#groupsStale = false;
    const byName = new Map<string, number[]>();
    const { applications, application, slots } = this.fleet;
    const nameOf = applications.list.map((id) => this.policyOf(id));
    for (const slot of slots) {
      const name = nameOf[application[slot]!]!;
      const list = byName.get(name);
      if (list) list.push(slot);
      else byName.set(name, [slot]);
    }
    this.#groups = [...byName].map(([name, list]) => ({
      policy: this.#policies.get(name)!,
      slots: Int32Array.from(list),
      forecaster: this.#expectationOf(name),
    }));
  }
}

/** Policies that name the same forecast share one forecaster. */
function forecastKey(config: ForecastConfig): string {
  return JSON.stringify(config);
}
