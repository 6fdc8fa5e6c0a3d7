import type { Fleet } from '../../core/fleet.ts';
import { type Frame, R, RESOURCES } from '../../core/model.ts';
import type { Telemetry } from '../../core/ports.ts';
import type { LibvirtConnection } from './connection.ts';
import type { SampleGroup } from './session-types.ts';
import { parseSample } from './stats.ts';
import { Track } from './track.ts';

/** Finds the domain a VM of the fleet is. */
export interface DomainLookup {
  uuidOf(vmId: string): string | undefined;
}

/** A VM that could not be read, or not in full; its row keeps what is known. */
export type ProblemListener = (vmId: string, problem: unknown) => void;

/**
 * Samples of real VMs. `sample` reads them; `read` folds what was read up to its `at` into a frame, so that a
 * sample is never later than the tick it serves. Between two ticks it may be sampled as often as one likes: CPU,
 * disk and network come from counters and lose nothing, memory is a gauge and gets truer.
 */
export class LibvirtTelemetry implements Telemetry {
  readonly #connection: LibvirtConnection;
  readonly #fleet: Fleet;
  readonly #domains: DomainLookup;
  readonly #onProblem: ProblemListener;
  readonly #tracks = new Map<string, Track>();
  #timer: NodeJS.Timeout | undefined;
  #sampling: Promise<void> | undefined;

  constructor(
    connection: LibvirtConnection,
    fleet: Fleet,
    domains: DomainLookup,
    onProblem: ProblemListener = () => {},
  ) {
    this.#connection = connection;
    this.#fleet = fleet;
    this.#domains = domains;
    this.#onProblem = onProblem;
  }

  /** Samples now and then every `everyMs`. A round that is still going on when the next is due takes its place. */
  start(everyMs: number): void {
    this.stop();
    this.#timer = setInterval(() => void this.sample(), everyMs);
    void this.sample();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Reads every VM of the fleet once, one after the other. Never rejects. */
  sample(): Promise<void> {
    this.#sampling ??= this.#sampleAll().finally(() => {
      this.#sampling = undefined;
    });
    return this.#sampling;
  }

  read(at: number, frame: Frame): void {
    const fleet = this.#fleet;
    for (const slot of fleet.slots) {
      const row = slot * R;
      frame.usage.fill(Number.NaN, row, row + R);
      frame.pressure.fill(0, row, row + R);
      // The guest's kernel does not tell the host of its OOM kills.
      frame.oomKills[slot] = 0;
      const uuid = this.#domains.uuidOf(fleet.specs[slot]!.vmId);
      const window = uuid === undefined ? undefined : this.#tracks.get(uuid)?.take(at);
      if (!window) continue;
      frame.sampledAt[slot] = window.sampledAt;
      RESOURCES.forEach((name, resource) => {
        const max = fleet.max[row + resource]!;
        if (max === 0) {
          frame.allocation[row + resource] = 0;
          return;
        }
        frame.usage[row + resource] = window.usage[resource]!;
        frame.pressure[row + resource] = window.pressure[resource]!;
        const granted = window.granted[name];
        // Without a limit all that may be given is given.
        if (!Number.isNaN(granted))
          frame.allocation[row + resource] = Number.isFinite(granted) ? granted : max;
      });
    }
  }

  async #sampleAll(): Promise<void> {
    const uuids = new Set<string>();
    for (const slot of this.#fleet.slots) {
      const vmId = this.#fleet.specs[slot]?.vmId;
      const uuid = vmId === undefined ? undefined : this.#domains.uuidOf(vmId);
      if (vmId === undefined || uuid === undefined) continue;
      uuids.add(uuid);
      const max = this.#fleet.max;
      const groups = RESOURCES.filter((_, resource) => max[slot * R + resource]! > 0) as SampleGroup[];
      try {
        const sample = await this.#connection.call('sample', uuid, groups);
        for (const problem of sample.problems) this.#onProblem(vmId, problem);
        let track = this.#tracks.get(uuid);
        if (!track) {
          track = new Track();
          this.#tracks.set(uuid, track);
        }
        if (Object.keys(sample.stats).length > 0) track.add(parseSample(sample));
      } catch (error) {
        this.#onProblem(vmId, error);
        // The others would fail the same way.
        if (!this.#connection.connected) return;
      }
    }
    for (const uuid of this.#tracks.keys()) if (!uuids.has(uuid)) this.#tracks.delete(uuid);
  }
}
