import { EXIT, ForesizeError } from '../core/errors.ts';
import { Observed } from '../core/observed.ts';
import type { Clock } from '../core/ports.ts';
import type { Book } from './book.ts';
import type { CoreDriver } from './core-driver.ts';
import type { StageView } from './operations.ts';
import type { OpenBundle } from './promote/open-bundle.ts';
import { type StageEvent, Stages } from './promote/stages.ts';
import type { ActScope } from './scope.ts';
import type { Entry } from './store/entries.ts';

/** Ticks between two times that the stage's figures are saved: what a kill may cost of them. */
const SAVE_EVERY = 12;

/**
 * A bundle on its way to all VMs, in the daemon: shows the stages what the core saw, writes down what they decide, and
 * says which VMs may be acted on. In a dry run the stage stays what it is: nothing is acted on, so that only shadow can
 * be judged.
 */
export class Promotion implements ActScope {
  readonly bundle: OpenBundle;
  readonly #book: Book;
  readonly #clock: Clock;
  readonly #apply: boolean;
  #stages: Stages;
  #observed: Observed | undefined;
  #fleet: readonly string[] = [];
  #unsaved = 0;

  /** Goes on where the journal left off, if that was with the same bundle; else in shadow. */
  constructor(bundle: OpenBundle, book: Book, clock: Clock, apply: boolean) {
    // What nobody acts on may not go on by itself.
    this.bundle = apply ? bundle : { ...bundle, stages: { ...bundle.stages, automatic: false } };
    this.#book = book;
    this.#clock = clock;
    this.#apply = apply;
    this.#stages = this.#restored();
  }

  #restored(): Stages {
    const { stages: saved } = this.#book.ledger;
    const name = this.bundle.id.slice(0, 16);
    let why = '';
    if (saved !== undefined) {
      try {
        return Stages.restore(this.bundle, this.#clock, saved);
      } catch (error) {
        if (!(error instanceof ForesizeError)) throw error;
        why = `: ${error.problems[0]!.what}`;
      }
    }
    this.#book.event({ kind: 'stage', text: `the bundle ${name} begins in shadow${why}` });
    return new Stages(this.bundle, this.#clock);
  }

  /** Watches a core from now on. */
  follow(driver: CoreDriver): void {
    const { controller, fleet } = driver;
    const observed = fleet.register(
      new Observed(controller, controller.config, (vmId, sums) => {
        if (this.#judging) this.#stages.observe(vmId, sums);
      }),
    );
    this.#observed = observed;
    driver.observers.push((record) => observed.observe(record));
    this.fleetChanged(driver);
  }

  fleetChanged(driver: CoreDriver): void {
    this.#fleet = Array.from(driver.fleet.slots, (slot) => driver.vmIdOf(slot));
    this.#stages.setFleet(this.#fleet);
  }

  /** Whether the figures are of what the stage is meant to do. */
  get #judging(): boolean {
    return this.#apply || this.#stages.stage === 'shadow';
  }

  /** Judges the stage after a tick. */
  judge(): readonly StageEvent[] {
    this.#observed?.drain();
    const events = this.#judging ? this.#stages.judge() : [];
    // Whether it can be written down or not: a breach must not go on.
    if (events.length > 0) this.#book.happened(...this.#entries(events));
    else if (++this.#unsaved >= SAVE_EVERY) this.save();
    return events;
  }

  /** @throws ForesizeError STAGE_*, or of the journal: then it stays where it is */
  advance(by: string): void {
    if (!this.#apply) throw dryRun();
    this.#byHand(() => this.#stages.advance(by));
  }

  /** Back to shadow. The caller lifts the limits. */
  rollBack(reason: string, by: string): void {
    this.#byHand(() => this.#stages.rollBack(reason, by));
  }

  #byHand(act: () => StageEvent[]): void {
    const before = this.#stages.serialise();
    const events = act();
    try {
      this.#book.append(...this.#entries(events));
    } catch (error) {
      this.#stages = Stages.restore(this.bundle, this.#clock, before);
      this.#stages.setFleet(this.#fleet);
      throw error;
    }
  }

  save(): void {
    this.#unsaved = 0;
    this.#book.happened({ kind: 'stages', at: this.#clock.now(), state: this.#stages.serialise() });
  }

  #entries(events: readonly StageEvent[]): Entry[] {
    this.#unsaved = 0;
    return [
      ...events.flatMap(({ kind, at, text, to, by }): Entry[] => [
        ...(kind === 'stage'
          ? [{ kind, at, name: to, bundle: this.bundle.id, reason: text, by } as const]
          : []),
        { kind: 'event', at, event: { kind, text } },
      ]),
      { kind: 'stages', at: this.#clock.now(), state: this.#stages.serialise() },
    ];
  }

  refusal(vmId: string): string | undefined {
    return this.#stages.mayAct(vmId) ? undefined : `the stage ${this.#stages.stage} does not include it`;
  }

  get view(): StageView {
    return this.#stages.view();
  }
}

function dryRun(): ForesizeError {
  return new ForesizeError(
    {
      code: 'STAGE_DRY_RUN',
      what: 'a dry run acts on no VM, whatever the stage',
      where: 'stage',
      remedy: 'start with --apply: in the stage shadow that writes to no VM either',
    },
    EXIT.refused,
  );
}
