import { z } from 'zod';
import type { Fleet } from '../fleet.ts';
import { type Frame, grown, MEMORY, type PerSlot, R } from '../model.ts';

const perResource = (cpu: number, memory: number, io: number, what: string) =>
  z
    .strictObject({
      cpu: z.number().min(0).default(cpu),
      memory: z.number().min(0).default(memory),
      diskIo: z.number().min(0).default(io),
      network: z.number().min(0).default(io),
    })
    .prefault({})
    .describe(what);

export const guardParams = z.strictObject({
  maxStepUp: z
    .number()
    .gt(1)
    .default(10)
    .describe('Largest factor by which one resize may grow an allocation.'),
  maxStepDown: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.5)
    .describe('Smallest factor by which one resize may shrink it.'),
  pressure: z
    .number()
    .min(0)
    .max(1)
    .default(0.01)
    .describe('Never shrink while more than this share of work is held back.'),
  minShrink: z
    .number()
    .min(0)
    .max(1)
    .default(0.03)
    .describe('A shrink by less than this share of the allocation is not worth a resize.'),
  memoryHeadroom: z
    .number()
    .min(0)
    .max(2)
    .default(0.05)
    .describe('Memory is never shrunk below usage x (1 + this).'),
  cooldownUp: z.int().min(0).default(0).describe('Ticks after a resize before the same resource may grow.'),
  cooldownDown: z
    .int()
    .min(0)
    .default(1)
    .describe('Ticks after a resize before the same resource may shrink.'),
  staleAfter: z.int().min(1).default(3).describe('Ticks without a sample after which a VM is frozen.'),
  quantum: perResource(
    0.01,
    4,
    4096,
    'Allocations are rounded up to a multiple of this (cores, MiB, bytes/s).',
  ),
  actionsPerTick: z
    .int()
    .min(1)
    .optional()
    .describe('At most this many resizes a tick, the most urgent first.'),
});

export type GuardParams = z.infer<typeof guardParams>;

/** Entries of `desired` (slot x R) that differ from the allocation, handed from guard to guard. */
interface Wishes {
  readonly frame: Frame;
  readonly desired: Float64Array;
  /** Indices slot * R + resource. */
  readonly index: Int32Array;
  count: number;
  /** 1 where an isolated VM's cap is what is wished, slot x R. */
  readonly capped: Uint8Array | undefined;
}

/** One rule. It may change `desired[i]`; setting it to the allocation withdraws the wish. */
type Guard = (wishes: Wishes) => void;

/**
 * The rules every policy's wishes pass, in this order: stale telemetry, pressure, working set, step, rounding,
 * bounds, worth, cooldown, budget. Each looks only at the few entries a policy wants changed.
 */
export class Guards implements PerSlot {
  readonly #fleet: Fleet;
  readonly #stack: readonly Guard[];
  #index = new Int32Array(0);
  /** Tick of the last resize, by slot x R. */
  #lastResize = new Int32Array(0);
  /** VMs whose wishes were frozen for stale telemetry in the last tick. */
  frozen = 0;

  constructor(params: GuardParams, fleet: Fleet, stepMs: number) {
    this.#fleet = fleet;
    const last = () => this.#lastResize;
    const stack: Guard[] = [
      this.#stale(params.staleAfter * stepMs),
      pressure(params.pressure),
      workingSet(1 + params.memoryHeadroom),
      step(params.maxStepUp, params.maxStepDown),
      rounding([params.quantum.cpu, params.quantum.memory, params.quantum.diskIo, params.quantum.network]),
      bounds(fleet),
      worthwhile(1 - params.minShrink),
      cooldown(params.cooldownUp, params.cooldownDown, last),
    ];
    if (params.actionsPerTick !== undefined) stack.push(budget(params.actionsPerTick));
    this.#stack = stack;
  }

  grow(capacity: number): void {
    this.#index = grown(this.#index, capacity * R);
    this.#lastResize = grown(this.#lastResize, capacity * R);
  }

  admit(slot: number): void {
    this.#lastResize.fill(-1_000_000, slot * R, slot * R + R);
  }

  /** The resource at `index` was resized in `tick`, by an earlier life of this part. */
  note(index: number, tick: number): void {
    this.#lastResize[index] = Math.max(this.#lastResize[index]!, tick);
  }

  /**
   * Passes the wishes in `desired` through every guard. Calls `emit(index, from, to)` for each that is left, in
   * ascending order of index.
   * @param capped 1 where an isolated VM's cap is what is wished, slot x R: pressure does not keep it away
   */
  pass(
    frame: Frame,
    slots: Int32Array,
    desired: Float64Array,
    emit: (index: number, from: number, to: number) => void,
    capped?: Uint8Array,
  ): void {
    const allocation = frame.allocation;
    const index = this.#index;
    const max = this.#fleet.max;
    let count = 0;
    const look = (i: number) => {
      if (desired[i] !== allocation[i] && max[i]! > 0) index[count++] = i;
    };
    for (let k = 0; k < slots.length; k++) {
      const from = slots[k]! * R;
      look(from);
      look(from + 1);
      look(from + 2);
      look(from + 3);
    }
    this.frozen = 0;
    if (count === 0) return;
    const wishes: Wishes = { frame, desired, index, count, capped };
    for (const guard of this.#stack) {
      guard(wishes);
      dropWithdrawn(wishes);
    }
    for (let k = 0; k < wishes.count; k++) {
      const i = index[k]!;
      this.#lastResize[i] = frame.tick;
      emit(i, allocation[i]!, desired[i]!);
    }
  }

  /** A VM not heard of for too long is left as it is: no action on old news. */
  #stale(maxAgeMs: number): Guard {
    return ({ frame, desired, index, count }) => {
      let lastSlot = -1;
      for (let k = 0; k < count; k++) {
        const i = index[k]!;
        const slot = (i / R) | 0;
        if (frame.at - frame.sampledAt[slot]! < maxAgeMs) continue;
        desired[i] = frame.allocation[i]!;
        if (slot !== lastSlot) this.frozen++;
        lastSlot = slot;
      }
    };
  }
}

/** Takes withdrawn wishes off the list, so that no later guard touches them. */
function dropWithdrawn(wishes: Wishes): void {
  const { frame, desired, index } = wishes;
  let kept = 0;
  for (let k = 0; k < wishes.count; k++) {
    const i = index[k]!;
    if (desired[i] !== frame.allocation[i] && !Number.isNaN(desired[i])) index[kept++] = i;
  }
  wishes.count = kept;
}

/** Never shrink on a forecast alone while work is being held back. To hold back is what a cap is for. */
function pressure(limit: number): Guard {
  return ({ frame, desired, index, count, capped }) => {
    for (let k = 0; k < count; k++) {
      const i = index[k]!;
      if (capped && capped[i] === 1) continue;
      const allocation = frame.allocation[i]!;
      if (desired[i]! < allocation && frame.pressure[i]! > limit) desired[i] = allocation;
    }
  };
}

/** Memory shrinks no lower than what is in use now: below it the guest swaps or is killed. */
function workingSet(factor: number): Guard {
  return ({ frame, desired, index, count }) => {
    for (let k = 0; k < count; k++) {
      const i = index[k]!;
      if (i % R !== MEMORY) continue;
      const allocation = frame.allocation[i]!;
      if (!(desired[i]! < allocation)) continue;
      const floor = frame.usage[i]! * factor;
      if (desired[i]! < floor) desired[i] = Math.min(floor, allocation);
    }
  };
}

function step(up: number, down: number): Guard {
  return ({ frame, desired, index, count }) => {
    for (let k = 0; k < count; k++) {
      const i = index[k]!;
      const allocation = frame.allocation[i]!;
      const wish = desired[i]!;
      if (wish > allocation * up) desired[i] = allocation * up;
      else if (wish < allocation * down) desired[i] = allocation * down;
    }
  };
}

/** Rounds up to the hypervisor's grain, so that rounding never takes away what the policy asked for. */
function rounding(quantum: readonly number[]): Guard {
  const q = Float64Array.from(quantum);
  return ({ desired, index, count }) => {
    for (let k = 0; k < count; k++) {
      const i = index[k]!;
      const grain = q[i % R]!;
      if (grain > 0) desired[i] = Math.ceil(desired[i]! / grain - 1e-9) * grain;
    }
  };
}

function bounds(fleet: Fleet): Guard {
  return ({ desired, index, count }) => {
    for (let k = 0; k < count; k++) {
      const i = index[k]!;
      desired[i] = Math.min(Math.max(desired[i]!, fleet.min[i]!), fleet.max[i]!);
    }
  };
}

/** What other guards left of a shrink may be too little to bother: memory that follows its working set, say. */
function worthwhile(factor: number): Guard {
  return ({ frame, desired, index, count }) => {
    for (let k = 0; k < count; k++) {
      const i = index[k]!;
      const allocation = frame.allocation[i]!;
      if (desired[i]! < allocation && desired[i]! > allocation * factor) desired[i] = allocation;
    }
  };
}

function cooldown(up: number, down: number, last: () => Int32Array): Guard {
  return ({ frame, desired, index, count }) => {
    const lastResize = last();
    for (let k = 0; k < count; k++) {
      const i = index[k]!;
      const allocation = frame.allocation[i]!;
      const wait = desired[i]! > allocation ? up : down;
      if (frame.tick - lastResize[i]! <= wait - 1) desired[i] = allocation;
    }
  };
}

/** Keeps the `limit` most urgent wishes: the largest relative growth first, then the largest shrink. */
function budget(limit: number): Guard {
  return (wishes) => {
    const { frame, desired, index, count } = wishes;
    const left: number[] = [];
    for (let k = 0; k < count; k++)
      if (desired[index[k]!] !== frame.allocation[index[k]!]) left.push(index[k]!);
    if (left.length <= limit) return;
    const urgency = (i: number) => {
      const ratio = desired[i]! / frame.allocation[i]!;
      return ratio > 1 ? ratio : ratio - 1;
    };
    left.sort((a, b) => urgency(b) - urgency(a) || a - b);
    for (const i of left.slice(limit)) desired[i] = frame.allocation[i]!;
  };
}
