import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { type LiveConfig, liveSchema } from '../../live/config.ts';
import { Daemon } from '../../live/daemon.ts';
import { DaemonOperations } from '../../live/daemon-operations.ts';
import type { OpenBundle } from '../../live/promote/open-bundle.ts';
import { replay } from '../../live/replay.ts';
import { fileIn, Journal } from '../../live/store/journal.ts';
import { ArrayPlant, dailyVm, HandClock, scratchDir } from './array-plant.ts';

const NEVER = new AbortController().signal;

export function folder(): string {
  return mkdtempSync(join(scratchDir(), 'foresize-daemon-'));
}

export function configOf(more: object = {}): LiveConfig {
  return liveSchema.parse({
    apiVersion: 'foresize/v1',
    tick: '5m',
    sample: '1m',
    policies: {
      ridge: {
        kind: 'quantile',
        quantile: 0.9,
        horizon: 3,
        forecast: { model: 'prophet-ridge', minDays: 0.5 },
      },
      vpa: { kind: 'vpa' },
    },
    policy: 'ridge',
    applications: { batch: 'vpa' },
    guards: { cooldownDown: 4 },
    ...more,
  });
}

/** The process that held the journal is gone, as far as a copy of it is concerned. */
export async function forgetHolder(dir: string): Promise<void> {
  const root = open({ path: fileIn(dir), noSubdir: true, encoding: 'binary', maxDbs: 2 });
  root.removeSync('holder');
  await root.close();
}

/** A host with its clock and journal, and the daemons that come and go on it. */
export class World {
  readonly clock = new HandClock();
  readonly plant = new ArrayPlant(this.clock);
  dir = folder();
  config = configOf();
  bundle: OpenBundle | undefined;
  apply = true;
  journal!: Journal;
  daemon!: Daemon;

  constructor(...vms: [vmId: string, phase: number, application?: string][]) {
    for (const [vmId, phase, application] of vms) this.plant.add(dailyVm(vmId, phase, application));
  }

  async start(): Promise<void> {
    this.journal = Journal.open(this.dir);
    this.daemon = await Daemon.start({
      config: this.config,
      bundle: this.bundle,
      journal: this.journal,
      plant: this.plant,
      apply: this.apply,
      codeVersion: 'test',
      clock: this.clock,
    });
  }

  operations(): DaemonOperations {
    return new DaemonOperations(this.daemon, this.dir);
  }

  /** As many ticks as are due in the time; the plant is sampled before each. */
  async run(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    while (this.clock.now() < until) {
      await this.plant.sample();
      await this.daemon.step(NEVER);
    }
  }

  /** As a SIGKILL leaves it: nothing is said goodbye to. */
  async kill(): Promise<void> {
    await this.journal.close();
  }

  async stop(): Promise<void> {
    await this.daemon.run(AbortSignal.abort());
    await this.journal.close();
  }

  async replay() {
    const journal = Journal.attach(this.dir, false);
    try {
      return await replay(journal);
    } finally {
      await journal.close();
    }
  }

  allocation(vmId: string, resource: number): number {
    return this.plant.vms.get(vmId)!.allocation[resource]!;
  }
}
