import { type Logger, pino } from 'pino';
import { ForesizeError } from '../core/errors.ts';
import { coreOf, type LiveConfig, readLiveConfig, timesOf } from './config.ts';
import { Daemon, type DaemonSetup } from './daemon.ts';
import { DaemonOperations } from './daemon-operations.ts';
import { LibvirtPlant } from './libvirt/plant.ts';
import { liftLeftovers } from './lift.ts';
import type { Operations, OperationsEvent } from './operations.ts';
import { openBundle } from './promote/open-bundle.ts';
import { type ApiSettings, prepareApi } from './server/config.ts';
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
  // Whatever may be wrong with these shows before anything of a VM is looked at.
  const bundle = config.bundle === undefined ? undefined : openBundle(config.bundle, codeVersion);
  coreOf(config, bundle);
  const api = config.api && prepareApi(config.api);
  const journal = Journal.open(options.journal);
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    log.info(`${signal}: stopping after what is under way`);
    stop.abort();
  };
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  try {
    const { stepMs } = timesOf(config);
    // A dry run resizes nothing; but what a session that was killed has set is not to stay.
    if (!options.apply) await liftLeftovers(options.journal, journal, (text) => log.warn(text));
    const plant = await LibvirtPlant.open({
      uri: config.uri,
      mapping: config.mapping,
      write: options.apply,
      balloonWaitMs: Math.min(BALLOON_WAIT_MS, stepMs / 2),
      onProblem: toldOnce((text, vmId) => log.warn({ vmId }, text)),
    });
    try {
      await serve({ config, bundle, journal, plant, apply: options.apply, codeVersion, clock: systemClock });
    } finally {
      await plant.close();
    }
  } finally {
    await journal.close();
    process.removeListener('SIGTERM', onSignal);
    process.removeListener('SIGINT', onSignal);
  }

  async function serve(setup: DaemonSetup): Promise<void> {
    let daemon: Daemon | undefined;
    const hook = await webhookOf(config, (text) => daemon?.book.event({ kind: 'problem', text }));
    daemon = await Daemon.start({ ...setup, onAlert: (alert) => hook?.push(alert) });
    try {
      await attend(daemon);
    } finally {
      hook?.close();
    }
  }

  async function attend(daemon: Daemon): Promise<void> {
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
    let closeApi = async () => {};
    try {
      if (api) closeApi = await startApi(new DaemonOperations(daemon, options.journal), api, log);
      await daemon.run(stop.signal);
    } finally {
      await closeApi();
      // What could not be lifted now is left to the watchdog, unless the limits are to stay.
      watch?.end(book.ledger.originals.size > 0 && (config.restoreOnStop || !stop.signal.aborted));
    }
  }

  function tell({ seq, kind, text, vmId }: OperationsEvent): void {
    const level = kind === 'alarm' || kind === 'kill-switch' ? 'warn' : kind === 'problem' ? 'error' : 'info';
    log[kind === 'tick' ? 'debug' : level]({ seq, kind, vmId }, text);
  }
}

/** Loaded only where it is asked for: without, the daemon stays small. */
async function startApi(
  operations: Operations,
  settings: ApiSettings,
  log: Logger,
): Promise<() => Promise<void>> {
  const { createServer } = await import('./server/server.ts');
  const { listen } = await import('./server/listen.ts');
  const app = await createServer(operations, settings, { log });
  try {
    log.info(`the API listens at ${await listen(app, settings)}`);
  } catch (error) {
    await app.close();
    throw error;
  }
  return async () => app.close();
}

async function webhookOf({ anomalyWebhook }: LiveConfig, onProblem: (text: string) => void) {
  if (anomalyWebhook === undefined) return undefined;
  const { Webhook } = await import('./webhook.ts');
  return new Webhook(anomalyWebhook, onProblem);
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
