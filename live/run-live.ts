import { pino } from 'pino';
import { ForesizeError } from '../core/errors.ts';
import { type LiveConfig, readLiveConfig, timesOf } from './config.ts';
import { Daemon } from './daemon.ts';
import { LibvirtPlant } from './libvirt/plant.ts';
import type { OperationsEvent } from './operations.ts';
import { Journal } from './store/journal.ts';
import { systemClock } from './wall-clock.ts';
import { Watch } from './watch.ts';

export interface LiveOptions {
  readonly config?: string | undefined;
  readonly apply: boolean;
  readonly journal: string;
  readonly uri?: string | undefined;
}

/** A moving balloon is watched no longer than this, ms, nor than half a tick. */
const BALLOON_WAIT_MS = 10_000;
/** The same problem of the same VM is told again after this, ms. */
const TELL_AGAIN_MS = 60_000;

/** Runs the daemon until SIGTERM or SIGINT. */
export async function runLive(options: LiveOptions, codeVersion: string): Promise<void> {
  if (options.config === undefined) {
    throw new ForesizeError({
      code: 'USAGE',
      what: 'a daemon needs a configuration',
      where: '--config',
      remedy: 'name one: foresize live --config FILE; `foresize live --schema` prints what it may hold',
    });
  }
  const read = readLiveConfig(options.config);
  const config: LiveConfig = options.uri === undefined ? read : { ...read, uri: options.uri };
  const log = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    log.info(`${signal}: stopping after what is under way`);
    stop.abort();
  };
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  const journal = Journal.open(options.journal);
  try {
    const { stepMs } = timesOf(config);
    const plant = await LibvirtPlant.open({
      uri: config.uri,
      mapping: config.mapping,
      write: options.apply,
      balloonWaitMs: Math.min(BALLOON_WAIT_MS, stepMs / 2),
      onProblem: toldOnce((text, vmId) => log.warn({ vmId }, text)),
    });
    try {
      await serve({ config, journal, plant, apply: options.apply, codeVersion, clock: systemClock });
    } finally {
      await plant.close();
    }
  } finally {
    await journal.close();
    process.removeListener('SIGTERM', onSignal);
    process.removeListener('SIGINT', onSignal);
  }

  async function serve(setup: Parameters<typeof Daemon.start>[0]): Promise<void> {
    const daemon = await Daemon.start(setup);
    const { book, session } = daemon;
    book.subscribe((event) => tell(event));
    const [begun] = book.ledger.events.slice(-1);
    if (begun) tell(begun);
    const watch = options.apply
      ? new Watch(
          options.journal,
          session.start.id,
          config.uri,
          timesOf(config).watchdogMs,
          () => daemon.alive,
        )
      : undefined;
    try {
      await daemon.run(stop.signal);
    } finally {
      // What could not be lifted now is left to the watchdog, unless the limits are to stay.
      watch?.end(book.ledger.originals.size > 0 && (config.restoreOnStop || !stop.signal.aborted));
    }
  }

  function tell({ seq, kind, text, vmId }: OperationsEvent): void {
    const level = kind === 'alarm' || kind === 'kill-switch' ? 'warn' : kind === 'problem' ? 'error' : 'info';
    log[kind === 'tick' ? 'debug' : level]({ seq, kind, vmId }, text);
  }
}

/** Problems of reading come with every sample: each is told once a while. */
function toldOnce(tell: (text: string, vmId?: string) => void): (problem: unknown, vmId?: string) => void {
  const told = new Map<string, number>();
  return (problem, vmId) => {
    const text = (problem as { message?: string }).message ?? String(problem);
    const key = `${vmId} ${text}`;
    const now = performance.now();
    if (now - (told.get(key) ?? Number.NEGATIVE_INFINITY) < TELL_AGAIN_MS) return;
    if (told.size > 1000) told.clear();
    told.set(key, now);
    tell(text, vmId);
  };
}
