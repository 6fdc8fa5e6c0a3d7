import { randomUUID } from 'node:crypto';
import { formatDuration } from '../core/duration.ts';
import { ForesizeError } from '../core/errors.ts';
import { Frame, R } from '../core/model.ts';
import type { Book } from './book.ts';
import { coreOf, type LiveConfig, timesOf } from './config.ts';
import { CoreDriver, type CoreSetup } from './core-driver.ts';
import type { Plant, PlantChanges } from './plant.ts';
import type { OpenBundle } from './promote/open-bundle.ts';
import { historyFor, relive } from './recovery.ts';
import type { Entry, Position, SessionStart } from './store/entries.ts';
import type { TrackRing } from './track-ring.ts';

export interface SessionSetup {
  readonly config: LiveConfig;
  /** Where what decides comes from, if it is not the configuration. */
  readonly bundle?: OpenBundle | undefined;
  readonly book: Book;
  readonly plant: Plant;
  readonly apply: boolean;
  readonly codeVersion: string;
  readonly now: number;
  /** Told of the newest of what is lived through again. */
  readonly tracks: TrackRing;
  /** Takes the core before it lives through anything. */
  readonly onDriver: (driver: CoreDriver) => void;
}

const CHARTED_TICKS = 500;

/** A stretch of ticks under one configuration and one clock, with the core it began with. */
export interface Session {
  readonly start: SessionStart;
  readonly driver: CoreDriver;
  /** The first tick it may make: a whole one. */
  readonly from: number;
  /** Where telemetry is read into before it is written down. */
  readonly scratch: Frame;
}

/**
 * Begins a session where the last one left off: tick numbers go on, at the wall clock's pace, and the core has seen what
 * the journal remembers. Ticks in between were missed. VMs that came and went in the meantime are told apart.
 */
export async function beginSession(setup: SessionSetup): Promise<Session> {
  const { book, config, bundle, plant, now, tracks } = setup;
  const { stepMs, rememberMs } = timesOf(config);
  const { journal, ledger } = book;
  const core = coreOf(config, bundle);
  const before = ledger.session;
  if (before && before.stepMs !== stepMs) throw otherStep(before.stepMs, stepMs, journal.file);
  // The first tick is a full one after now.
  let epochMs = before?.epochMs ?? (Math.floor(now / stepMs) + 1) * stepMs;
  let current = Math.floor((now - epochMs) / stepMs);
  const head = before ? lastTick(book) : -1;
  // A clock that was set back: no tick number is used twice.
  if (before && current < head) {
    epochMs -= (head - current) * stepMs;
    current = head;
  }
  const window = Math.max(1, Math.ceil(rememberMs / stepMs));
  const known = historyFor(journal, current, window);
  const models = bundle && (await modelsFor(bundle, { ...core, stepMs, epochMs }, setup));
  const next = journal.seq + 1 + book.owed;
  const history: Position = known ?? {
    seq: next + (models?.entry ? 1 : 0),
    tick: Math.max(0, current),
  };
  const start: SessionStart = {
    id: randomUUID(),
    codeVersion: setup.codeVersion,
    uri: plant.uri,
    apply: setup.apply,
    pid: process.pid,
    ...core,
    stepMs,
    epochMs,
    history,
    ...(bundle && { bundle: bundle.id }),
    ...(models && { models: models.seq ?? next }),
  };
  book.append(...(models?.entry ? [models.entry] : []), { kind: 'session', at: now, session: start });
  let chart = () => {};
  const driver = await relive(journal, start, ledger.sessionSeq, (reliving) => {
    setup.onDriver(reliving);
    chart = () => {
      if (reliving.head > current - CHARTED_TICKS) tracks.observe(reliving);
    };
    reliving.observers.push(chart);
  });
  driver.observers.splice(driver.observers.indexOf(chart), 1);
  if (driver.head >= 0 && current > driver.head) {
    const missed = { kind: 'missed', at: now, from: driver.head + 1, to: current, reason: 'down' } as const;
    book.append(missed);
    await driver.take(missed);
  }
  // What changed so far is in what is there.
  plant.changes();
  const fleet = { kind: 'fleet', at: now, tick: current + 1, ...sinceThen(book, plant.present()) } as const;
  if (fleet.departed.length + fleet.arrived.length > 0) {
    book.append(fleet);
    await driver.take(fleet);
  }
  plant.attach(driver.fleet);
  return { start, driver, from: current + 1, scratch: scratchOf(driver) };
}

/**
 * The models of a bundle that fit the live core: with the entry that holds them, or the number of the one that does
 * since an earlier session with the same bundle. Undefined if none fits, which is the rule where the clock is another.
 */
async function modelsFor(
  bundle: OpenBundle,
  core: CoreSetup,
  { book: { ledger }, plant, now }: SessionSetup,
): Promise<{ seq?: number; entry?: Entry } | undefined> {
  if (bundle.models.length === 0) return undefined;
  const { session } = ledger;
  if (session?.bundle === bundle.id && session.epochMs === core.epochMs)
    return session.models === undefined ? undefined : { seq: session.models };
  const probe = await CoreDriver.create(core, 0);
  plant.present().forEach((vm, number) => {
    probe.seat(number, vm, 0);
  });
  const documents = probe.loadModels(bundle.models);
  return documents.length === 0 ? undefined : { entry: { kind: 'models', at: now, documents } };
}

/** The newest tick the journal knows of, made or missed; -1 if none. */
function lastTick({ journal, ledger }: Book): number {
  let last = -1;
  for (const { entry } of journal.entries(Math.max(1, ledger.session?.history.seq ?? 1))) {
    if (entry.kind === 'missed') last = Math.max(last, entry.to);
  }
  return Math.max(last, journal.lastFrameTick());
}

/** What is there now against what the journal's fleet entries leave there. */
function sinceThen({ ledger }: Book, present: PlantChanges['arrived']): PlantChanges {
  const here = new Map(present.map((one) => [one.spec.vmId, one]));
  const departed = [...ledger.roster].filter(([vmId, { uuid }]) => here.get(vmId)?.uuid !== uuid);
  const arrived = present.filter(({ spec, uuid }) => {
    const known = ledger.roster.get(spec.vmId);
    return known?.uuid !== uuid || JSON.stringify(known.spec) !== JSON.stringify(spec);
  });
  return { departed: departed.map(([vmId]) => vmId), arrived };
}

/** A frame that begins with what was last known of each VM. */
function scratchOf({ fleet, last }: CoreDriver): Frame {
  const scratch = fleet.register(new Frame());
  for (const slot of fleet.slots) {
    welcome(scratch, slot, fleet.requested);
    if (!last || last.frame.sampledAt.length <= slot) continue;
    scratch.sampledAt[slot] = last.frame.sampledAt[slot]!;
    scratch.allocation.set(last.frame.allocation.subarray(slot * R, slot * R + R), slot * R);
  }
  return scratch;
}

/** Until a new VM was read, it counts as having what it was requested with. */
export function welcome(scratch: Frame, slot: number, requested: Float64Array): void {
  scratch.allocation.set(requested.subarray(slot * R, slot * R + R), slot * R);
}

function otherStep(before: number, now: number, file: string): ForesizeError {
  return new ForesizeError({
    code: 'JOURNAL_OTHER_TICK',
    what: `the journal counts in ticks of ${formatDuration(before)}, and the configuration in ${formatDuration(now)}`,
    where: file,
    remedy: 'keep the tick, or begin a new journal with --journal',
  });
}
