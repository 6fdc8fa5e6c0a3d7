import { ForesizeError } from '../core/errors.ts';
import { type IntentBatch, OUTCOME, OUTCOME_NAMES } from '../core/intents.ts';
import { RESOURCES, UNITS } from '../core/model.ts';
import type { Book } from './book.ts';
import type { CoreDriver } from './core-driver.ts';
import type { Plant, PlantReport } from './plant.ts';
import { intentAt } from './replay.ts';
import type { ActScope } from './scope.ts';
import type { Entry, JournaledIntent } from './store/entries.ts';
import type { WallClock } from './wall-clock.ts';

export interface ActuatorSetup {
  readonly book: Book;
  readonly plant: Plant;
  readonly scope: ActScope;
  readonly apply: boolean;
  readonly clock: WallClock;
  /** How long a tick waits for its resizes; what takes longer is 'accepted' and goes on, ms. */
  readonly patienceMs: number;
}

/** The same problem of the same resource is told again after this, ms. */
const TELL_AGAIN_MS = 3_600_000;

/**
 * Carries out what the core wants: writes the intents down, and how to take them back, before any is tried, and what
 * became of them after. Nothing is tried that is not in the journal.
 */
export class Actuator {
  readonly #setup: ActuatorSetup;
  /** Resizes under way, by VM. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** Problems that last, by VM and resource, and when each was told. */
  readonly #told = new Map<string, { readonly problem: string; readonly at: number }>();

  constructor(setup: ActuatorSetup) {
    this.#setup = setup;
  }

  /** Writes the outcomes of a tick's intents. */
  async carryOut(driver: CoreDriver, tick: number, intents: IntentBatch): Promise<void> {
    const { book, clock } = this.#setup;
    const list = Array.from({ length: intents.count }, (_, i) => intentAt(driver, intents, i));
    const vmIds = Array.from({ length: intents.count }, (_, i) => driver.vmIdOf(intents.slot[i]!));
    const refusals = vmIds.map((vmId) => this.#refusal(vmId));
    const originals = await this.#originals(vmIds, list, refusals);
    const wanted: Entry = { kind: 'intents', at: clock.now(), tick, intents: list };
    try {
      book.append(...originals, wanted);
    } catch (error) {
      if (!(error instanceof ForesizeError)) throw error;
      // The core has made its decision, and replay will make it again.
      intents.outcome.fill(OUTCOME.refused, 0, intents.count);
      book.happened(wanted, this.#outcomes(tick, intents));
      throw error;
    }
    // Apart from the batch, which is the next tick's by the time the last are through.
    const found = new Uint8Array(intents.count).fill(OUTCOME.accepted);
    const events: Entry[] = [];
    let waiting = true;
    const running: Promise<void>[] = [];
    vmIds.forEach((vmId, i) => {
      const refusal = refusals[i];
      if (refusal !== undefined) {
        found[i] = OUTCOME.refused;
        book.passing({ kind: 'resize', vmId, text: `${describe(vmId, list[i]!)}: not done: ${refusal}` });
        return;
      }
      running.push(
        this.#resize(vmId, list[i]!).then((report) => {
          found[i] = report.outcome;
          const event = this.#event(vmId, list[i]!, report);
          if (!event) return;
          if (waiting) events.push(event);
          else book.happened(event);
        }),
      );
    });
    await this.#atMost(Promise.all(running));
    waiting = false;
    intents.outcome.set(found);
    book.happened(this.#outcomes(tick, intents), ...events);
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
  }

  #refusal(vmId: string): string | undefined {
    const { apply, plant, book, scope } = this.#setup;
    if (!apply || !plant.writable) return 'dry run';
    if (book.ledger.killSwitch.engaged)
      return `the kill switch is engaged (${book.ledger.killSwitch.reason})`;
    if (this.#underWay.has(vmId)) return 'an earlier resize of the VM is still under way';
    return scope.refusal(vmId);
  }

  /** What is resized for the first time, with how to put it back; where that cannot be read, nothing is tried. */
  async #originals(
    vmIds: readonly string[],
    list: readonly JournaledIntent[],
    refusals: (string | undefined)[],
  ): Promise<Entry[]> {
    const { book, plant, clock } = this.#setup;
    const found: Entry[] = [];
    for (let i = 0; i < vmIds.length; i++) {
      const vmId = vmIds[i]!;
      const resource = list[i]![1];
      if (refusals[i] !== undefined || book.ledger.originals.get(vmId)?.writes.has(resource)) continue;
      try {
        const original = await plant.original(vmId, resource);
        found.push({ kind: 'original', at: clock.now(), vmId, resource, ...original });
      } catch (error) {
        refusals[i] = `what it has now cannot be read: ${(error as Error).message}`;
      }
    }
    return found;
  }

  /** Undefined for a problem that was told already. */
  #event(
    vmId: string,
    intent: JournaledIntent,
    { problem, outcome, latencyMs }: PlantReport,
  ): Entry | undefined {
    const key = `${vmId} ${intent[1]}`;
    if (!problem) this.#told.delete(key);
    else if (this.#isOld(key, problem)) return undefined;
    const what = `${describe(vmId, intent)}: ${OUTCOME_NAMES[outcome as 0]}`;
    const event = problem
      ? ({ kind: 'problem', vmId, text: `${what}: ${problem.message}` } as const)
      : ({ kind: 'resize', vmId, text: `${what} in ${Math.round(latencyMs)} ms` } as const);
    return { kind: 'event', at: this.#setup.clock.now(), event };
  }

  #isOld(key: string, error: Error): boolean {
    const at = this.#setup.clock.mono();
    // Figures in the words change with every try.
    const problem = error instanceof ForesizeError ? error.problems[0]!.code : error.message;
    const told = this.#told.get(key);
    if (told?.problem === problem && at - told.at < TELL_AGAIN_MS) return true;
    if (this.#told.size > 10_000) this.#told.clear();
    this.#told.set(key, { problem, at });
    return false;
  }

  #resize(vmId: string, [, resource, from, to]: JournaledIntent): Promise<PlantReport> {
    const work = this.#setup.plant.resize(vmId, resource, from, to);
    const before = this.#underWay.get(vmId);
    const mine = Promise.all([before, work]).finally(() => {
      if (this.#underWay.get(vmId) === mine) this.#underWay.delete(vmId);
    });
    this.#underWay.set(vmId, mine);
    return work;
  }

  async #atMost(work: Promise<unknown>): Promise<void> {
    const { clock, patienceMs } = this.#setup;
    const done = new AbortController();
    await Promise.race([work, clock.sleep(patienceMs, done.signal)]);
    done.abort();
  }

  #outcomes(tick: number, intents: IntentBatch): Entry {
    const outcomes = Array.from(intents.outcome.subarray(0, intents.count));
    return { kind: 'outcomes', at: this.#setup.clock.now(), tick, outcomes };
  }
}

function describe(vmId: string, [, resource, from, to]: JournaledIntent): string {
  const name = RESOURCES[resource]!;
  return `${vmId} ${name} ${round(from)} -> ${round(to)} ${UNITS[name]}`;
}

function round(value: number): string {
  return Number.isNaN(value) ? 'unknown' : String(Number(value.toPrecision(5)));
}
