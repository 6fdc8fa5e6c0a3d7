import { EXIT, ForesizeError } from '../core/errors.ts';
import { OUTCOME } from '../core/intents.ts';
import { R } from '../core/model.ts';
import type { Alert } from '../core/ports.ts';
import { Actuator } from './actuator.ts';
import { AnomalyLog, sentenceOf } from './anomaly-log.ts';
import { Book } from './book.ts';
import { type LiveConfig, timesOf } from './config.ts';
import { Durations } from './durations.ts';
import { Limits } from './limits.ts';
import type { Plant } from './plant.ts';
import type { OpenBundle } from './promote/open-bundle.ts';
import { Promotion } from './promotion.ts';
import { everywhere } from './scope.ts';
import { beginSession, type Session, welcome } from './session.ts';
import type { JournaledIntent } from './store/entries.ts';
import { captureFrame } from './store/frame-codec.ts';
import type { Journal } from './store/journal.ts';
import { TrackRing } from './track-ring.ts';
import { JumpDetector, type WallClock } from './wall-clock.ts';

export interface DaemonSetup {
  readonly config: LiveConfig;
  readonly journal: Journal;
  readonly plant: Plant;
  /** False: nothing is written to any VM. */
  readonly apply: boolean;
  readonly codeVersion: string;
  readonly clock: WallClock;
  /** Decides where it comes from, and on which VMs it may act; without one, on all. */
  readonly bundle?: OpenBundle | undefined;
  /** Takes what is told of anomalies, after the tick. May not wait. */
  readonly onAlert?: ((alert: Alert) => void) | undefined;
}

/** Share of a tick after which what is not through yet is left to itself. */
const PATIENCE = 0.8;
/** A wall clock that moves by less is being slewed. */
const LEAST_JUMP_MS = 1000;
/** The longest sleep: a clock that was set is noticed by then. */
const NAP_MS = 1000;
/** A call that hangs is given up after 35 s, and a tick may make one on each connection. */
const LONGEST_TICK_MS = 90_000;
/** How close a VM's allocation must be to what was asked for to count as that. */
const TOLERANCE = [0.001, 1, 1, 1000] as const;

export interface TickTimes {
  tick: number;
  at: number;
  /** The core alone, and all of it, ms. */
  decideMs: number;
  tickMs: number;
  /** Reading all VMs once, ms: the longest since the tick before. */
  sampleMs: number;
  late: number;
}

/**
 * The live driver of the core: a tick of the wall clock at a time. What is seen goes to the journal, then to the core;
 * what the core wants goes to the journal, then to the hypervisor; what became of it goes to the journal.
 */
export class Daemon {
  readonly book: Book;
  readonly startedAt: number;
  readonly times: TickTimes = { tick: -1, at: 0, decideMs: 0, tickMs: 0, sampleMs: 0, late: 0 };
  /** Of every reading of all VMs since the start. */
  readonly sampled = new Durations();
  readonly tracks: TrackRing;
  readonly setup: DaemonSetup;
  readonly anomalies: AnomalyLog;
  readonly promotion: Promotion | undefined;
  readonly #actuator: Actuator;
  readonly #limits: Limits;
  /** Told in the tick that runs. */
  readonly #alerts: Alert[] = [];
  readonly #jumps: JumpDetector;
  readonly #stepMs: number;
  readonly #watchdogMs: number;
  #session: Session;
  /** The tick tried last, and when one last went through. */
  #tried: number;
  #wellAt: number;
  #turnedAt: number;
  #busy = false;
  #ticking: Promise<void> = Promise.resolve();
  #alarm = '';
  #wasConnected = true;
  #slowestSample = 0;
  #reading = false;

  /**
   * Takes up where the journal ends: history and models as they were, and what was begun settled by what the
   * hypervisor has now.
   * @throws ForesizeError of the journal or the host
   */
  static async start(setup: DaemonSetup): Promise<Daemon> {
    const { clock, plant, apply } = setup;
    const book = new Book(setup.journal, () => clock.now());
    const tracks = new TrackRing();
    const anomalies = new AnomalyLog();
    const session = await beginSession({
      ...setup,
      book,
      tracks,
      onDriver: (driver) => anomalies.follow(driver),
      now: clock.now(),
    });
    const daemon = new Daemon(setup, book, session, tracks, anomalies);
    await plant.sample();
    plant.read(clock.now(), session.scratch);
    daemon.#reconcile();
    daemon.#tellOfModels();
    await daemon.#liftOutside('the stage does not include them');
    const { size } = session.driver.fleet;
    const { from } = session;
    book.event({
      kind: 'fleet',
      text: `started ${apply ? 'to resize' : 'as a dry run'}: ${size} VMs, from tick ${from}`,
    });
    return daemon;
  }

  private constructor(
    setup: DaemonSetup,
    book: Book,
    session: Session,
    tracks: TrackRing,
    anomalies: AnomalyLog,
  ) {
    const { clock, config, plant, apply, bundle } = setup;
    const { stepMs, watchdogMs } = timesOf(config);
    this.setup = setup;
    this.book = book;
    this.tracks = tracks;
    this.anomalies = anomalies;
    this.promotion = bundle && new Promotion(bundle, book, clock, apply);
    this.#session = session;
    this.#tried = session.from - 1;
    this.#stepMs = stepMs;
    this.#watchdogMs = watchdogMs;
    this.startedAt = clock.now();
    this.#wellAt = clock.mono();
    this.#turnedAt = this.#wellAt;
    this.#jumps = new JumpDetector(clock, Math.min(LEAST_JUMP_MS, stepMs / 2));
    const scope = this.promotion ?? everywhere;
    this.#actuator = new Actuator({ book, plant, scope, apply, clock, patienceMs: stepMs * PATIENCE });
    this.#limits = new Limits(book, plant, clock, this.#actuator);
    this.#follow();
  }

  /** What is told from now on: what was lived through again has been told. */
  #follow(): void {
    const { driver } = this.#session;
    driver.alerts = { alert: (alert) => this.#alerts.push(alert) };
    this.promotion?.follow(driver);
  }

  get session(): Session {
    return this.#session;
  }

  /** Ticks until `signal` is aborted; then ends in order. */
  async run(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const sampling = this.#keepSampling(AbortSignal.any([signal, over.signal]));
    try {
      while (!signal.aborted) await this.step(signal);
    } finally {
      over.abort();
      await sampling;
    }
    await this.#stop();
  }

  /** Waits for what is due next, a second at most, and does it. */
  async step(signal: AbortSignal): Promise<void> {
    const { clock } = this.setup;
    this.#turnedAt = clock.mono();
    await this.#heedClock();
    const { driver, start } = this.#session;
    const current = Math.floor((clock.now() - start.epochMs) / this.#stepMs);
    const next = Math.max(driver.head, this.#tried) + 1;
    if (current < next) {
      const wait = start.epochMs + next * this.#stepMs - clock.now();
      await clock.sleep(Math.min(wait, NAP_MS), signal);
      return;
    }
    this.#tried = current;
    this.#busy = true;
    this.#ticking = this.#tick(current).finally(() => {
      this.#busy = false;
    });
    await this.#ticking;
  }

  /** False once a tick hangs: then the watchdog is to take over. */
  get alive(): boolean {
    return this.setup.clock.mono() - this.#turnedAt < Math.max(this.#watchdogMs, LONGEST_TICK_MS);
  }

  async #tick(tick: number): Promise<void> {
    const { clock, plant, journal } = this.setup;
    const began = clock.mono();
    try {
      await this.#catchUp(tick);
      const { driver, scratch, start } = this.#session;
      await this.#followFleet(tick);
      scratch.tick = tick;
      scratch.at = start.epochMs + tick * this.#stepMs;
      plant.read(scratch.at, scratch);
      const frame = captureFrame(scratch, driver.fleet.slots, (slot) => driver.numberOf(slot), true);
      this.book.append(frame);
      const decided = clock.mono();
      let acting = 0;
      const record = await driver.tick(frame, true, async (_at, intents) => {
        const from = clock.mono();
        await this.#actuator.carryOut(driver, tick, intents);
        acting = clock.mono() - from;
      });
      Object.assign(this.times, {
        tick,
        at: scratch.at,
        decideMs: clock.mono() - decided - acting,
        tickMs: clock.mono() - began,
        sampleMs: this.#slowestSample,
      });
      this.#slowestSample = 0;
      this.tracks.observe(driver);
      this.#wellAt = clock.mono();
      this.#clear();
      this.#tellAnomalies();
      await this.#judge();
      const { intents, frozen } = record;
      const text = `tick ${tick}: ${driver.fleet.size} VMs, ${intents.count} resizes wanted, ${frozen} VMs frozen`;
      this.book.passing({ kind: 'tick', text });
    } catch (error) {
      if (!(error instanceof ForesizeError) || journal.failed) throw await this.#giveUp(error);
      this.#raise(error.message);
      if (clock.mono() - this.#wellAt >= this.#watchdogMs)
        await this.#limits.lift('no tick went through for too long');
    }
    this.#watchConnection();
  }

  /** Writes down the ticks before `tick` that nobody made. */
  async #catchUp(tick: number): Promise<void> {
    const { driver } = this.#session;
    const { clock } = this.setup;
    const from = driver.head + 1;
    if (driver.head < 0 || from >= tick) return;
    this.times.late += tick - from;
    const reason = this.#alarm === '' ? 'late' : 'journal';
    const missed = { kind: 'missed', at: clock.now(), from, to: tick - 1, reason } as const;
    this.book.append(missed);
    await driver.take(missed);
    this.book.event({ kind: 'alarm', text: `ticks ${from} to ${tick - 1} were missed` });
  }

  async #followFleet(tick: number): Promise<void> {
    const { plant, clock } = this.setup;
    const { driver, scratch } = this.#session;
    const changes = plant.changes();
    if (changes.departed.length + changes.arrived.length === 0) return;
    await this.#limits.release(changes.departed);
    const entry = { kind: 'fleet', at: clock.now(), tick, ...changes } as const;
    const fresh = changes.arrived.filter(({ spec }) => {
      return changes.departed.includes(spec.vmId) || driver.fleet.slotOf(spec.vmId) === undefined;
    });
    // The host tells of a change once, so that it must be taken in even if the disk is full just now.
    this.book.happened(entry);
    await driver.take(entry);
    this.promotion?.fleetChanged(driver);
    for (const { spec } of fresh) welcome(scratch, driver.fleet.slotOf(spec.vmId)!, driver.fleet.requested);
    const names = (list: readonly string[], verb: string) =>
      list.length === 0 ? [] : [`${list.join(', ')} ${verb}`];
    const text = [
      ...names(changes.departed, 'went'),
      ...names(
        changes.arrived.map(({ spec }) => spec.vmId),
        'came or changed',
      ),
    ].join('; ');
    this.book.event({ kind: 'fleet', text });
  }

  /** Intents of a daemon that was killed: what the hypervisor has tells what became of them. */
  #reconcile(): void {
    const { book } = this;
    const { driver, scratch } = this.#session;
    for (const [tick, intents] of [...book.ledger.open]) {
      const outcomes = intents.map((intent) => {
        const slot = driver.slotOfNumber(intent[0]);
        const granted = slot === undefined ? Number.NaN : scratch.allocation[slot * R + intent[1]]!;
        return settle(intent, granted);
      });
      book.append({ kind: 'outcomes', at: this.setup.clock.now(), tick, outcomes, reconciled: true });
      const text = `tick ${tick} was cut off by a kill: ${outcomes.length} resizes compared with what is granted`;
      book.event({ kind: 'alarm', text });
    }
  }

  #tellOfModels(): void {
    const { bundle } = this.setup;
    if (!bundle || bundle.models.length === 0 || this.#session.start.models !== undefined) return;
    const text = "the bundle's forecast models are of another clock or fleet: models are trained live";
    this.book.event({ kind: 'fleet', text });
  }

  #tellAnomalies(): void {
    for (const alert of this.#alerts.splice(0)) {
      this.book.event({ kind: 'anomaly', vmId: alert.vmId, text: sentenceOf(alert) });
      this.setup.onAlert?.(alert);
    }
  }

  /** Carries out what the stages decide. */
  async #judge(): Promise<void> {
    const events = this.promotion?.judge() ?? [];
    const back = events.find(({ kind, to }) => kind === 'stage' && to === 'shadow');
    if (back) await this.#limits.lift(`the bundle went back to shadow (${back.by})`);
  }

  /** Limits from before of VMs that the stage does not include. */
  async #liftOutside(why: string): Promise<void> {
    const { promotion } = this;
    if (promotion) await this.#limits.lift(why, (vmId) => promotion.refusal(vmId) !== undefined);
  }

  /** @throws ForesizeError STAGE_* */
  async advanceStage(by: string): Promise<void> {
    await this.betweenTicks();
    this.promotion?.advance(by);
  }

  async rollBack(reason: string, by: string): Promise<void> {
    await this.betweenTicks();
    this.promotion?.rollBack(reason, by);
    await this.#liftOutside(`the bundle was rolled back by ${by}`);
  }

  async #heedClock(): Promise<void> {
    const jump = this.#jumps.look();
    if (jump === 0) return;
    const { clock, config } = this.setup;
    const { driver, start } = this.#session;
    const seconds = (Math.abs(jump) / 1000).toFixed(1);
    this.book.event({
      kind: 'alarm',
      text: `the clock was set ${seconds} s ${jump > 0 ? 'forward' : 'back'}`,
    });
    const current = Math.floor((clock.now() - start.epochMs) / this.#stepMs);
    const tooFar = current - driver.head > Math.ceil(timesOf(config).rememberMs / this.#stepMs);
    if (current < driver.head || (jump > 0 && tooFar)) await this.#beginAnew();
  }

  /** A new session in the same process: the clock no longer fits the ticks. */
  async #beginAnew(): Promise<void> {
    const { clock } = this.setup;
    this.#session = await beginSession({
      ...this.setup,
      book: this.book,
      tracks: this.tracks,
      onDriver: (driver) => this.anomalies.follow(driver),
      now: clock.now(),
    });
    this.#follow();
    this.#tried = this.#session.from - 1;
  }

  /** Lifts all limits after the running tick, for an administrator. */
  async restoreAll(by: string): Promise<void> {
    await this.betweenTicks();
    await this.#limits.lift(by);
  }

  /** Resolves at once or after the running tick: what changes decisions must not come in the middle of one. */
  async betweenTicks(): Promise<void> {
    while (this.#busy) await this.#ticking;
  }

  async #stop(): Promise<void> {
    const { config, apply, clock } = this.setup;
    await this.#actuator.idle();
    if (this.sampled.count > 0) {
      const [p50, p99] = [0.5, 0.99].map((q) => this.sampled.quantile(q).toFixed(1));
      const text = `all VMs were read in ${p50} ms at the median and ${p99} ms at p99, of ${this.sampled.count} times`;
      this.book.passing({ kind: 'fleet', text });
    }
    this.promotion?.save();
    if (apply && config.restoreOnStop) await this.#limits.lift('the daemon was stopped');
    this.book.happened({ kind: 'end', at: clock.now(), reason: 'stopped' });
  }

  /** The journal is beyond use, or the daemon has a fault: no limit may stay that nobody looks after. */
  async #giveUp(error: unknown): Promise<unknown> {
    if (this.setup.apply) await this.#limits.lift('the daemon failed');
    if (error instanceof ForesizeError) return new ForesizeError(error.problems, EXIT.runtime, error);
    return error;
  }

  async #keepSampling(signal: AbortSignal): Promise<void> {
    const { clock, config } = this.setup;
    const { sampleMs } = timesOf(config);
    const lead = Math.min(1000, sampleMs / 2);
    while (!signal.aborted) {
      const { epochMs } = this.#session.start;
      // In step with the ticks, so that the last sample before each is fresh.
      const since = (((clock.now() - epochMs + lead) % sampleMs) + sampleMs) % sampleMs;
      await clock.sleep(sampleMs - since, signal);
      if (!signal.aborted) void this.#sample();
    }
  }

  /** A round that is still under way is not begun again, nor timed twice. */
  async #sample(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    const { clock, plant } = this.setup;
    const began = clock.mono();
    try {
      await plant.sample();
    } finally {
      this.#reading = false;
    }
    const ms = clock.mono() - began;
    this.#slowestSample = Math.max(this.#slowestSample, ms);
    this.sampled.add(ms);
  }

  #watchConnection(): void {
    const { connected, uri } = this.setup.plant;
    if (connected === this.#wasConnected) return;
    this.#wasConnected = connected;
    this.book.event({
      kind: 'alarm',
      text: `${connected ? 'connected again to' : 'lost the connection to'} ${uri}`,
    });
  }

  /** An alarm is told when it begins and when it ends, not with every tick. */
  #raise(text: string): void {
    if (this.#alarm === '') this.book.event({ kind: 'alarm', text });
    this.#alarm = text;
  }

  #clear(): void {
    if (this.#alarm === '') return;
    this.#alarm = '';
    this.book.event({ kind: 'alarm', text: 'ticks go through again' });
  }
}

function settle([, resource, from, to]: JournaledIntent, granted: number): number {
  const near = (value: number) => Math.abs(granted - value) <= TOLERANCE[resource as 0];
  if (Number.isNaN(granted)) return OUTCOME.failed;
  if (near(to)) return OUTCOME.applied;
  return near(from) ? OUTCOME.failed : OUTCOME.accepted;
}
