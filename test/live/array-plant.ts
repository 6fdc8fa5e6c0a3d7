import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Fleet } from '../../core/fleet.ts';
import { OUTCOME } from '../../core/intents.ts';
import { type Frame, R, type ResourceVector, type VmSpec } from '../../core/model.ts';
import type { Plant, PlantChanges, PlantReport } from '../../live/plant.ts';
import type { RecordedWrite } from '../../live/store/entries.ts';
import type { Original } from '../../live/store/ledger.ts';
import type { WallClock } from '../../live/wall-clock.ts';

/** A clock that stands still but for sleeping, to the minute, and can be set. */
export class HandClock implements WallClock {
  wall = Date.UTC(2026, 0, 5);
  monotonic = 0;
  now = () => this.wall;
  mono = () => this.monotonic;
  sleep = async (ms: number): Promise<void> => {
    this.pass(Math.max(ms, 60_000 - (this.wall % 60_000)));
  };
  pass(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

export interface ArrayVm {
  spec: VmSpec;
  uuid: string;
  allocation: number[];
  /** Demand of each resource at a time, in core's units. */
  demand: (at: number) => ResourceVector;
}

/** VMs that are columns of numbers: usage is demand up to the allocation. It outlives the daemons that drive it. */
export class ArrayPlant implements Plant {
  readonly uri = 'array:///';
  connected = true;
  writable = true;
  readonly vms = new Map<string, ArrayVm>();
  /** Every write made: VM, resource, value. */
  readonly writes: [vmId: string, resource: number, to: number][] = [];
  /** VMs whose monitor hangs: no samples, and resizes that take this promise. */
  readonly hung = new Map<string, Promise<void>>();
  /** Called before a resize takes effect. */
  beforeResize: (vmId: string) => void = () => {};
  readonly #clock: WallClock;
  #fleet: Fleet | undefined;
  #changes: { departed: string[]; arrived: Map<string, ArrayVm> } = { departed: [], arrived: new Map() };
  readonly #sampled = new Map<string, { at: number; usage: number[]; pressure: number[] }>();

  constructor(clock: WallClock) {
    this.#clock = clock;
  }

  add(vm: ArrayVm): void {
    this.vms.set(vm.spec.vmId, vm);
    this.#changes.arrived.set(vm.spec.vmId, vm);
  }

  remove(vmId: string): void {
    this.vms.delete(vmId);
    this.#changes.arrived.delete(vmId);
    this.#changes.departed.push(vmId);
  }

  changes(): PlantChanges {
    const { departed, arrived } = this.#changes;
    this.#changes = { departed: [], arrived: new Map() };
    return { departed, arrived: [...arrived.values()].map(({ spec, uuid }) => ({ spec, uuid })) };
  }

  present(): PlantChanges['arrived'] {
    return [...this.vms.values()].map(({ spec, uuid }) => ({ spec, uuid }));
  }

  attach(fleet: Fleet): void {
    this.#fleet = fleet;
  }

  async sample(): Promise<void> {
    const at = this.#clock.now();
    for (const [vmId, vm] of this.vms) {
      if (this.hung.has(vmId)) continue;
      const demand = vm.demand(at);
      const usage = demand.map((d, r) => Math.min(d, vm.allocation[r]!));
      const pressure = demand.map((d, r) => (d > vm.allocation[r]! ? 1 - vm.allocation[r]! / d : 0));
      this.#sampled.set(vmId, { at, usage, pressure });
    }
  }

  read(at: number, frame: Frame): void {
    for (const slot of this.#fleet!.slots) {
      frame.usage.fill(Number.NaN, slot * R, slot * R + R);
      frame.pressure.fill(0, slot * R, slot * R + R);
      const vmId = this.#fleet!.specs[slot]!.vmId;
      const sample = this.#sampled.get(vmId);
      if (!sample || sample.at > at) continue;
      this.#sampled.delete(vmId);
      frame.usage.set(sample.usage, slot * R);
      frame.pressure.set(sample.pressure, slot * R);
      frame.allocation.set(this.vms.get(vmId)?.allocation ?? [], slot * R);
      frame.sampledAt[slot] = sample.at;
    }
  }

  async original(vmId: string, resource: number): Promise<{ uuid: string; writes: RecordedWrite[] }> {
    const vm = this.vms.get(vmId);
    if (!vm) throw new Error(`no ${vmId}`);
    return { uuid: vm.uuid, writes: [{ operation: 'set', args: [resource, vm.allocation[resource]] }] };
  }

  async resize(vmId: string, resource: number, _from: number, to: number): Promise<PlantReport> {
    await this.hung.get(vmId);
    this.beforeResize(vmId);
    const vm = this.vms.get(vmId);
    if (!vm) {
      const problem = new Error('the VM is gone');
      return { outcome: OUTCOME.failed, granted: Number.NaN, latencyMs: 0, problem };
    }
    this.writes.push([vmId, resource, to]);
    vm.allocation[resource] = to;
    return { outcome: OUTCOME.applied, granted: to, latencyMs: 50, problem: undefined };
  }

  async restore(vmId: string, original: Original): Promise<void> {
    for (const list of original.writes.values()) {
      for (const { args } of list) {
        const [resource, value] = args as [number, number];
        this.writes.push([vmId, resource, value]);
        const vm = this.vms.get(vmId);
        if (vm) vm.allocation[resource] = value;
      }
    }
  }

  async close(): Promise<void> {}
}

const DAY_MS = 86_400_000;

/** A VM of 4 cores and 8 GiB whose use follows the hour of the day. */
export function dailyVm(vmId: string, phase: number, applicationId = 'shop'): ArrayVm {
  return {
    spec: {
      vmId,
      applicationId,
      userId: `user-${vmId}`,
      requested: [4, 8192, 0, 0],
      min: [0.1, 512, 0, 0],
      max: [4, 8192, 0, 0],
    },
    uuid: `uuid-${vmId}`,
    allocation: [4, 8192, 0, 0],
    demand: (at) => {
      const wave = Math.sin(((at % DAY_MS) / DAY_MS + phase) * 2 * Math.PI);
      return [1.5 + wave, 3000 + 1000 * wave, 0, 0];
    },
  };
}

/** Where syncing costs nothing, if there is such a place: for tests that are not about the disk. */
export function scratchDir(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
}
