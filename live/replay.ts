import { createHash } from 'node:crypto';
import { DecisionLog } from '../core/decision-log.ts';
import { IntentBatch } from '../core/intents.ts';
import { RESOURCES, UNITS } from '../core/model.ts';
import type { CoreDriver } from './core-driver.ts';
import { isInput, relive } from './recovery.ts';
import type { JournaledIntent } from './store/entries.ts';
import type { JournaledFrame } from './store/frame-codec.ts';
import type { Journal } from './store/journal.ts';

export interface ReplayReport {
  readonly sessions: number;
  /** Ticks made again, of which so many had decisions. */
  readonly ticks: number;
  readonly decidingTicks: number;
  readonly decisions: number;
  /** Ticks whose decisions are the same, byte for byte. */
  readonly same: number;
  /** Ticks in which the daemon was killed before it wrote its decisions: there is nothing to compare with. */
  readonly cutShort: number;
  /** SHA-256 over the decision log as it was recorded, and as it comes out again. */
  readonly recordedSha256: string;
  readonly replayedSha256: string;
  readonly firstDifference: Difference | undefined;
  /** Versions of the code that decided. */
  readonly codeVersions: readonly string[];
}

export interface Difference {
  readonly tick: number;
  readonly at: number;
  readonly recorded: readonly string[];
  readonly replayed: readonly string[];
}

interface Decided {
  readonly tick: number;
  readonly at: number;
  readonly replayed: readonly JournaledIntent[];
  recorded?: readonly JournaledIntent[];
  outcomes?: readonly number[];
}

/**
 * Feeds the recorded frames to the core again and compares its decisions with the recorded ones. Each session begins
 * with what its daemon began with.
 */
export async function replay(
  journal: Journal,
  onTick: (tick: number) => void = () => {},
): Promise<ReplayReport> {
  const comparison = new Comparison();
  const codeVersions = new Set<string>();
  let sessions = 0;
  let driver: CoreDriver | undefined;
  for (const { seq, entry, frame } of journal.read()) {
    if (frame) {
      if (!driver) continue;
      comparison.settle();
      comparison.expect(await decide(driver, frame));
      onTick(frame.tick);
      continue;
    }
    if (entry.kind === 'session') {
      comparison.cut();
      sessions++;
      codeVersions.add(entry.session.codeVersion);
      driver = await relive(journal, entry.session, seq);
    } else if (entry.kind === 'intents') comparison.recorded(entry.tick, entry.intents);
    else if (entry.kind === 'outcomes') comparison.outcomes(entry.tick, entry.outcomes);
    else if (driver && isInput(entry)) await driver.take(entry);
  }
  comparison.cut();
  return { sessions, codeVersions: [...codeVersions], ...comparison.finish() };
}

async function decide(driver: CoreDriver, frame: JournaledFrame): Promise<Decided> {
  const replayed: JournaledIntent[] = [];
  await driver.tick(frame, frame.act, (_at, intents) => {
    for (let i = 0; i < intents.count; i++) replayed.push(intentAt(driver, intents, i));
  });
  return { tick: frame.tick, at: frame.at, replayed };
}

/** One intent of a batch as the journal has it. */
export function intentAt(driver: CoreDriver, intents: IntentBatch, i: number): JournaledIntent {
  return [driver.numberOf(intents.slot[i]!), intents.resource[i]!, intents.from[i]!, intents.to[i]!];
}

/** Compares tick by tick. What became of an intent may be written long after it, by the next session. */
class Comparison {
  #ticks = 0;
  #deciding = 0;
  #decisions = 0;
  #same = 0;
  #cutShort = 0;
  #first: Difference | undefined;
  #last: Decided | undefined;
  readonly #recorded = new Sha();
  readonly #replayed = new Sha();

  expect(decided: Decided): void {
    this.#last = decided;
  }

  recorded(tick: number, intents: readonly JournaledIntent[]): void {
    if (this.#last?.tick === tick) this.#last.recorded = intents;
  }

  outcomes(tick: number, outcomes: readonly number[]): void {
    if (this.#last?.tick === tick) this.#last.outcomes = outcomes;
  }

  /** A session begins, or the journal ends: the tick before it may never have got as far as deciding. */
  cut(): void {
    const last = this.#last;
    if (!last || last.recorded || last.replayed.length === 0) return;
    this.#cutShort++;
    this.#last = undefined;
  }

  /** All that was to be heard of the last tick was heard. */
  settle(): void {
    const last = this.#last;
    this.#last = undefined;
    if (!last) return;
    this.#ticks++;
    const { tick, at, replayed, recorded = [], outcomes = [] } = last;
    if (recorded.length > 0) this.#deciding++;
    this.#decisions += recorded.length;
    const one = decisionBytes(tick, recorded, outcomes);
    const other = decisionBytes(tick, replayed, outcomes);
    this.#recorded.update(one);
    this.#replayed.update(other);
    if (Buffer.compare(one, other) === 0) this.#same++;
    else {
      this.#first ??= { tick, at, recorded: recorded.map(describe), replayed: replayed.map(describe) };
    }
  }

  finish() {
    this.settle();
    return {
      ticks: this.#ticks,
      decidingTicks: this.#deciding,
      decisions: this.#decisions,
      same: this.#same,
      cutShort: this.#cutShort,
      recordedSha256: this.#recorded.digest(),
      replayedSha256: this.#replayed.digest(),
      firstDifference: this.#first,
    };
  }
}

class Sha {
  readonly #hash = createHash('sha256');
  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }
  digest(): string {
    return this.#hash.digest('hex');
  }
}

/** A tick's part of the decision log; see core/decision-log.ts. */
export function decisionBytes(
  tick: number,
  decided: readonly JournaledIntent[],
  outcomes: readonly number[],
): Buffer {
  const intents = new IntentBatch();
  let bytes = Buffer.alloc(0);
  decided.forEach(([vm, resource, from, to], i) => {
    intents.add(vm, resource, from, to);
    intents.outcome[i] = outcomes[i] ?? 0;
  });
  new DecisionLog(
    (vm) => vm,
    (written) => {
      bytes = Buffer.from(written);
    },
  ).append({ tick, intents });
  return bytes;
}

function describe([vm, resource, from, to]: JournaledIntent): string {
  const name = RESOURCES[resource]!;
  return `VM ${vm} ${name} ${from} -> ${to} ${UNITS[name]}`;
}
