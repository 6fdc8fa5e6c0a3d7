import { z } from 'zod';
import { parseDuration } from '../../core/duration.ts';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { OBSERVED_FIELDS } from '../../core/observed.ts';
import type { Clock } from '../../core/ports.ts';
import type { Stage, StageView } from '../operations.ts';
import { type Check, checksOf } from './checks.ts';
import type { OpenBundle } from './open-bundle.ts';
import { canaryPosition, inShare } from './scope.ts';
import { Tally } from './tally.ts';

/** Something that happened to the stage: to be journaled before it takes effect, and shown. */
export interface StageEvent {
  /** ms since the Unix epoch. */
  readonly at: number;
  readonly kind: 'stage' | 'alarm';
  /** One sentence, with figures and units. */
  readonly text: string;
  readonly from: Stage;
  readonly to: Stage;
  readonly by: string;
}

const rows = z.record(z.string(), z.array(z.number()).length(OBSERVED_FIELDS));
const stateSchema = z.strictObject({
  schema: z.literal('foresize/stages/v1'),
  bundle: z.string(),
  stage: z.enum(['shadow', 'canary', 'all']),
  since: z.number(),
  windowFrom: z.number(),
  held: z.boolean(),
  alarmed: z.boolean(),
  extra: z.string().nullable(),
  tally: z.strictObject({ now: rows, before: rows }),
});
/** What a journal keeps of the stages: plain JSON. */
export type StagesState = z.infer<typeof stateSchema>;

const NEXT: Readonly<Record<Stage, Stage | undefined>> = { shadow: 'canary', canary: 'all', all: undefined };
/** Who acts when nobody did. */
const ITSELF = 'foresize';

/**
 * How far a bundle has got: shadow (decide, do not act) -> canary (a share of the VMs, chosen by hash) -> all. Each
 * stage is judged by live figures against the simulator's; a breach goes back to shadow by itself. Pure: time comes from
 * the clock, figures from `observe`, and what it decides is returned as events for the daemon to journal and carry out.
 */
export class Stages {
  readonly #bundle: OpenBundle;
  readonly #clock: Clock;
  readonly #windowMs: number;
  #tally = new Tally();
  #stage: Stage = 'shadow';
  #since: number;
  #windowFrom: number;
  /** After a breach or a rollback nothing goes on by itself until somebody has looked. */
  #held = false;
  /** A breach in shadow was told. */
  #alarmed = false;
  #fleet: readonly string[] = [];
  /** The VM that stands for the canary where the share holds none of the fleet. */
  #extra: string | null = null;

  constructor(bundle: OpenBundle, clock: Clock) {
    this.#bundle = bundle;
    this.#clock = clock;
    this.#windowMs = parseDuration(bundle.stages.window, 'stages.window');
    this.#since = clock.now();
    this.#windowFrom = this.#since;
  }

  /**
   * Goes on where `serialise` left off.
   * @throws ForesizeError STAGES_CORRUPT, STAGES_OTHER_BUNDLE
   */
  static restore(bundle: OpenBundle, clock: Clock, saved: unknown): Stages {
    const parsed = stateSchema.safeParse(saved);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw problem(
        'STAGES_CORRUPT',
        `the saved stage does not read: ${issue?.path.join('.')}: ${issue?.message}`,
        'start from shadow: nothing is lost but the time of the stage',
      );
    }
    const state = parsed.data;
    if (state.bundle !== bundle.id) {
      throw problem(
        'STAGES_OTHER_BUNDLE',
        `the saved stage is of the bundle ${state.bundle.slice(0, 16)}, not of ${bundle.id.slice(0, 16)}`,
        'a new bundle starts from shadow; give back the old one to go on with it',
      );
    }
    const stages = new Stages(bundle, clock);
    stages.#stage = state.stage;
    stages.#since = state.since;
    stages.#windowFrom = state.windowFrom;
    stages.#held = state.held;
    stages.#alarmed = state.alarmed;
    stages.#extra = state.extra;
    stages.#tally = Tally.restore(state.tally);
    return stages;
  }

  serialise(): StagesState {
    return {
      schema: 'foresize/stages/v1',
      bundle: this.#bundle.id,
      stage: this.#stage,
      since: this.#since,
      windowFrom: this.#windowFrom,
      held: this.#held,
      alarmed: this.#alarmed,
      extra: this.#extra,
      tally: this.#tally.serialise(),
    };
  }

  get stage(): Stage {
    return this.#stage;
  }

  get since(): number {
    return this.#since;
  }

  /** Tells which VMs there are, at the start and whenever some came or went. */
  setFleet(vmIds: Iterable<string>): void {
    this.#fleet = [...vmIds];
    const { id, stages } = this.#bundle;
    // Once chosen it stays while it is here: the canary never loses a VM to another that came.
    if (this.#extra !== null && this.#fleet.includes(this.#extra)) return;
    this.#extra = null;
    if (this.#fleet.some((vmId) => inShare(vmId, id, stages.canaryShare))) return;
    let least = Number.POSITIVE_INFINITY;
    for (const vmId of this.#fleet) {
      const position = canaryPosition(vmId, id);
      if (position < least) {
        least = position;
        this.#extra = vmId;
      }
    }
  }

  /** Whether the daemon may resize this VM now. */
  mayAct(vmId: string): boolean {
    if (this.#stage === 'shadow') return false;
    return this.#stage === 'all' || this.#inCanary(vmId);
  }

  /** Takes in what `Observed` drained of a VM. What is not in the stage's scope does not count. */
  observe(vmId: string, sums: Float64Array): void {
    if (this.#stage === 'shadow' || this.mayAct(vmId)) this.#tally.add(vmId, sums);
  }

  /** Once a tick, after `observe`: rolls back on a breach, goes on where that is configured. */
  judge(): StageEvent[] {
    const at = this.#clock.now();
    // A clock that was set back begins the window anew.
    if (at < this.#windowFrom) this.#windowFrom = at;
    // A window too short for a judgement grows until it holds one.
    if (at - this.#windowFrom >= this.#windowMs && this.#enough()) {
      this.#tally.turn();
      this.#windowFrom = at;
    }
    const checks = this.#checks();
    const breach = checks.find(({ holds }) => holds === false);
    if (breach) return this.#breached(at, breach);
    const next = NEXT[this.#stage];
    if (this.#enough()) this.#alarmed = false;
    const proven = this.#enough() && checks.every(({ holds, counts }) => holds === true || !counts);
    if (!this.#bundle.stages.automatic || this.#held || !next || !proven) return [];
    return [this.#move(next, ITSELF, `every measure holds after ${this.#vmDays()} VM-days`)];
  }

  /**
   * Moves to the next stage by hand.
   * @throws ForesizeError STAGE_LAST, STAGE_TOO_SOON, STAGE_BREACHED
   */
  advance(by: string): StageEvent[] {
    const next = NEXT[this.#stage];
    if (!next) throw problem('STAGE_LAST', 'the bundle acts on all VMs already', 'there is nothing to do');
    if (!this.#enough()) {
      throw problem(
        'STAGE_TOO_SOON',
        `the stage ${this.#stage} has seen ${this.#vmDays()} of ${this.#bundle.stages.minVmDays} VM-days`,
        'wait, or promote with a smaller stages.minVmDays',
      );
    }
    const breach = this.#checks().find(({ holds }) => holds === false);
    if (breach) {
      throw problem(
        'STAGE_BREACHED',
        `${sentence(breach)} in the stage ${this.#stage}`,
        'find out why live is not as simulated; a bundle from a run closer to it may pass',
      );
    }
    this.#held = false;
    return [this.#move(next, by, `after ${this.#vmDays()} VM-days`)];
  }

  /** Goes back to shadow, from wherever it is. The daemon then lifts the limits it has set. */
  rollBack(reason: string, by: string): StageEvent[] {
    this.#held = true;
    return this.#stage === 'shadow' ? [] : [this.#move('shadow', by, reason)];
  }

  view(): StageView {
    const { id, manifest } = this.#bundle;
    return {
      name: this.#stage,
      since: this.#since,
      checks: this.#checks().map(({ counts: _, ...check }) => check),
      bundle: { id, codeVersion: manifest.codeVersion, createdAt: manifest.createdAt },
      inScope: this.#fleet.reduce((sum, vmId) => sum + (this.mayAct(vmId) ? 1 : 0), 0),
    };
  }

  #breached(at: number, breach: Check): StageEvent[] {
    const from = this.#stage;
    if (from === 'shadow' && this.#alarmed) return [];
    const text = `${sentence(breach)} in ${this.#vmDays()} VM-days of ${from}`;
    this.#alarmed = from === 'shadow';
    this.#held = true;
    const alarm: StageEvent = { at, kind: 'alarm', text, from, to: 'shadow', by: ITSELF };
    return from === 'shadow' ? [alarm] : [alarm, this.#move('shadow', ITSELF, text)];
  }

  #move(to: Stage, by: string, why: string): StageEvent {
    const from = this.#stage;
    const at = this.#clock.now();
    this.#stage = to;
    this.#since = at;
    this.#windowFrom = at;
    this.#tally.clear();
    if (to !== 'shadow') this.#alarmed = false;
    return { at, kind: 'stage', text: `${from} -> ${to} by ${by}: ${why}`, from, to, by };
  }

  #checks(): Check[] {
    const { evidence, stages } = this.#bundle;
    return checksOf(this.#stage, this.#tally, evidence, stages);
  }

  #inCanary(vmId: string): boolean {
    const { id, stages } = this.#bundle;
    return vmId === this.#extra || inShare(vmId, id, stages.canaryShare);
  }

  #enough(): boolean {
    return this.#tally.vmDays >= this.#bundle.stages.minVmDays;
  }

  #vmDays(): number {
    return Number(this.#tally.vmDays.toPrecision(3));
  }
}

function sentence({ measure, unit, live, low, high }: Check): string {
  const figure = (x: number) => String(Number(x.toPrecision(3)));
  return `${measure} is ${figure(live!)} ${unit}, not within ${figure(low)} to ${figure(high)}`;
}

function problem(code: string, what: string, remedy: string): ForesizeError {
  return new ForesizeError({ code, what, where: 'stage', remedy }, EXIT.refused);
}
