import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import type { Fleet } from '../../core/fleet.ts';
import { type IntentBatch, OUTCOME } from '../../core/intents.ts';
import { RESOURCES, type Resource } from '../../core/model.ts';
import type { Hypervisor } from '../../core/ports.ts';
import { isFresh, reserveKib, workingSetKib } from './balloon.ts';
import type { LibvirtConnection } from './connection.ts';
import { LibvirtError, notManaged } from './errors.ts';
import {
  type Plan,
  planCpu,
  planDisk,
  planMemory,
  planNetwork,
  refusal,
  type Step,
  type Write,
} from './plan.ts';
import type { RawSample } from './session-types.ts';
import { parseSample, type Reading } from './stats.ts';
import type { DomainLookup } from './telemetry.ts';

/** What became of one intent. */
export interface ResizeReport {
  readonly vmId: string;
  readonly resource: Resource;
  /** What was asked for. */
  readonly from: number;
  readonly to: number;
  readonly outcome: (typeof OUTCOME)[keyof typeof OUTCOME];
  /** What was granted when the last look was taken; NaN if none succeeded. */
  readonly granted: number;
  /** From the first write to the effect, or to giving up; 0 if nothing was written. */
  readonly latencyMs: number;
  readonly problem: ForesizeError | undefined;
  /** Why what was done before the failure could not be taken back. */
  readonly rollbackProblem: unknown;
}

export interface ActuationOptions {
  /** How long a moving balloon is watched before the resize counts as accepted, ms. */
  readonly balloonWaitMs: number;
  readonly onReport: (report: ResizeReport) => void;
}

const POLL_MS = 250;
/** A balloon that has not moved at all by now has no driver behind it. */
const STUCK_MS = 5_000;
/** How long taking back waits for a connection that just broke. */
const ROLLBACK_WAIT_MS = 15_000;
/** VMs resized at a time. The calls are made one by one anyway; what overlaps is waiting for balloons. */
const LANES = 8;

/** Errors that mean: this was not allowed, so nothing was done. */
const NOT_ALLOWED = new Set(['LIBVIRT_READ_ONLY', 'LIBVIRT_NO_PERMISSION', 'DOMAIN_NOT_MANAGED']);
/** Errors that mean: the VM ended, so nothing is left to take back. */
const GONE_FOR_GOOD = 'LIBVIRT_NO_DOMAIN';
const GONE = new Set([GONE_FOR_GOOD, 'LIBVIRT_NOT_POSSIBLE_NOW']);

/**
 * Resizes real VMs. Every write is read back; a resize that is only part done is taken back; a VM's resizes are
 * made one after the other, whoever asks. A VM that is not in `domains` is never written to.
 */
export class LibvirtHypervisor implements Hypervisor {
  readonly #control: LibvirtConnection;
  readonly #fleet: Fleet;
  readonly #domains: DomainLookup;
  readonly #options: ActuationOptions;
  /** The last resize of each VM, finished or not. */
  readonly #queues = new Map<string, Promise<void>>();

  constructor(
    control: LibvirtConnection,
    fleet: Fleet,
    domains: DomainLookup,
    options: Partial<ActuationOptions> = {},
  ) {
    this.#control = control;
    this.#fleet = fleet;
    this.#domains = domains;
    this.#options = { balloonWaitMs: 10_000, onReport: () => {}, ...options };
  }

  async apply(_at: number, intents: IntentBatch): Promise<void> {
    const byVm = new Map<number, number[]>();
    for (let i = 0; i < intents.count; i++) {
      const slot = intents.slot[i]!;
      const list = byVm.get(slot);
      if (list) list.push(i);
      else byVm.set(slot, [i]);
    }
    const work = byVm.values();
    const lane = async () => {
      for (const indices of work) {
        for (const i of indices) await this.#carryOut(intents, i);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  async #carryOut(intents: IntentBatch, i: number): Promise<void> {
    const vmId = this.#fleet.specs[intents.slot[i]!]?.vmId ?? '';
    const resource = intents.resource[i]!;
    const from = intents.from[i]!;
    const to = intents.to[i]!;
    const report = await this.resize(vmId, resource, from, to);
    intents.outcome[i] = report.outcome;
  }

  /** Carries out one resize, after those of the VM that are under way. */
  async resize(vmId: string, resource: number, from: number, to: number): Promise<ResizeReport> {
    const turn = (this.#queues.get(vmId) ?? Promise.resolve()).then(() =>
      new Attempt(this.#control, this.#domains, this.#options).run(vmId, RESOURCES[resource]!, to),
    );
    const done = turn.then(
      () => {},
      () => {},
    );
    this.#queues.set(vmId, done);
    const result = await turn;
    if (this.#queues.get(vmId) === done) this.#queues.delete(vmId);
    const report = { vmId, resource: RESOURCES[resource]!, from, to, ...result };
    this.#options.onReport(report);
    return report;
  }
}

type Result = Omit<ResizeReport, 'vmId' | 'resource' | 'from' | 'to'>;

/** One resize of one VM: look, plan, write, read back, and take back if need be. */
class Attempt {
  readonly #control: LibvirtConnection;
  readonly #domains: DomainLookup;
  readonly #options: ActuationOptions;
  readonly #done: Step[] = [];
  #granted = Number.NaN;
  #latencyMs = 0;

  constructor(control: LibvirtConnection, domains: DomainLookup, options: ActuationOptions) {
    this.#control = control;
    this.#domains = domains;
    this.#options = options;
  }

  async run(vmId: string, name: Resource, to: number): Promise<Result> {
    const where = `${vmId} ${name}`;
    const uuid = this.#domains.uuidOf(vmId);
    if (uuid === undefined) return this.#result(OUTCOME.refused, notManaged(vmId));
    let sample: RawSample;
    try {
      sample = await this.#control.call('sample', uuid, [name]);
    } catch (error) {
      return this.#result(OUTCOME.failed, located(error, where));
    }
    const before = parseSample(sample);
    this.#granted = before.granted[name];
    let plan: Plan;
    try {
      plan = planResize(name, sample, before, to);
    } catch (error) {
      return this.#result(OUTCOME.refused, located(error, where));
    }
    const began = performance.now();
    try {
      for (const step of plan.steps) {
        // Noted before it is tried: a step that fails may have been done in part.
        this.#done.push(step);
        await this.#write(uuid, step.write);
      }
      const outcome = await (name === 'memory'
        ? this.#watchBalloon(uuid, before, plan)
        : this.#readBack(uuid, name, plan));
      this.#latencyMs = performance.now() - began;
      return this.#result(outcome, undefined);
    } catch (error) {
      this.#latencyMs = performance.now() - began;
      const problem = located(error, where);
      if (NOT_ALLOWED.has(problem.code) && this.#done.length === 1)
        return this.#result(OUTCOME.refused, problem);
      // Of a VM that is no more nothing can be taken back; by now it may be off the list too.
      const rollbackProblem = problem.code === GONE_FOR_GOOD ? undefined : await this.#takeBack(uuid);
      this.#granted = Number.NaN;
      await this.#look(uuid, name).catch(() => {});
      return this.#result(OUTCOME.failed, problem, rollbackProblem);
    }
  }

  async #readBack(uuid: string, name: Resource, plan: Plan): Promise<Result['outcome']> {
    await this.#look(uuid, name);
    if (!(Math.abs(this.#granted - plan.target) <= plan.tolerance)) {
      throw new ForesizeError(
        {
          code: 'RESIZE_NOT_IN_EFFECT',
          what: `libvirt reported success, but ${this.#granted} is granted and not ${plan.target}`,
          remedy:
            'look for another limit of the VM (virsh schedinfo, blkdeviotune, domiftune), or another controller',
        },
        EXIT.runtime,
      );
    }
    return OUTCOME.applied;
  }

  /** Follows the balloon to its target; back if the guest turns out to need what is being taken. */
  async #watchBalloon(uuid: string, before: Reading, plan: Plan): Promise<Result['outcome']> {
    const began = performance.now();
    const reserve = reserveKib(workingSetKib(before.balloon));
    const shrinking = plan.target < before.granted.memory;
    for (;;) {
      const { balloon, at } = await this.#look(uuid, 'memory');
      if (Math.abs(this.#granted - plan.target) <= plan.tolerance) return OUTCOME.applied;
      // Half of the reserve may be drawn on while it moves. Pages in flight are gone for the guest and not yet
      // counted as returned, so that only what the guest itself says is left can be relied on.
      if (shrinking && isFresh(balloon, at) && balloon.usable < reserve / 2) {
        throw refusal('MEMORY_FLOOR', 'the guest came to need the memory while it was taken', 'nothing');
      }
      const waited = performance.now() - began;
      const moved = Math.abs(this.#granted - before.granted.memory) > plan.tolerance;
      if (!moved && waited >= Math.min(STUCK_MS, this.#options.balloonWaitMs)) {
        throw refusal(
          'BALLOON_STUCK',
          'the balloon does not move, though libvirt took the target',
          'load virtio_balloon in the guest, after its transport (virtio_pci)',
        );
      }
      if (waited >= this.#options.balloonWaitMs) return OUTCOME.accepted;
      await sleep(POLL_MS);
    }
  }

  /** Takes the steps back, the last first. @returns why it could not, if so */
  async #takeBack(uuid: string): Promise<unknown> {
    let problem: unknown;
    for (const { undo } of this.#done.reverse()) {
      if (!undo) continue;
      try {
        await Promise.race([this.#control.ready(), sleep(ROLLBACK_WAIT_MS, undefined, { ref: false })]);
        await this.#write(uuid, undo);
      } catch (error) {
        if (!(error instanceof ForesizeError && GONE.has(error.code))) problem ??= error;
      }
    }
    return problem;
  }

  async #look(uuid: string, name: Resource): Promise<Reading> {
    const reading = parseSample(await this.#control.call('sample', uuid, [name]));
    this.#granted = reading.granted[name];
    return reading;
  }

  #write(uuid: string, { operation, args }: Write): Promise<void> {
    return this.#control.call(operation, uuid, ...(args as [never, never]));
  }

  #result(outcome: Result['outcome'], problem: ForesizeError | undefined, rollbackProblem?: unknown): Result {
    return { outcome, granted: this.#granted, latencyMs: this.#latencyMs, problem, rollbackProblem };
  }
}

function planResize(name: Resource, sample: RawSample, reading: Reading, to: number): Plan {
  switch (name) {
    case 'cpu':
      return planCpu(sample, to);
    case 'memory':
      return planMemory(reading, isFresh(reading.balloon, reading.at), to);
    case 'diskIo':
      return planDisk(sample, to);
    case 'network':
      return planNetwork(sample, to);
  }
}

/** The error with the VM and resource it befell. What is not for the user is a fault of ours and goes on up. */
function located(error: unknown, where: string): ForesizeError {
  if (error instanceof LibvirtError) return new LibvirtError(error.failure, where);
  if (!(error instanceof ForesizeError)) throw error;
  return new ForesizeError(
    error.problems.map((problem) => ({ ...problem, where })),
    error.exitCode,
    error,
  );
}
