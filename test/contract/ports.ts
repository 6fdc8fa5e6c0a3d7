import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fleet } from '../../core/fleet.ts';
import { IntentBatch, OUTCOME } from '../../core/intents.ts';
import { CPU, Frame, MEMORY, R } from '../../core/model.ts';
import type { Hypervisor, Telemetry } from '../../core/ports.ts';

/** A world behind the ports, with at least one VM whose CPU and memory are managed. */
export interface World {
  readonly fleet: Fleet;
  readonly telemetry: Telemetry;
  readonly hypervisor: Hypervisor;
  /** Lets an interval pass and gives the time at its end, ms since the epoch. */
  pass(): Promise<number>;
  close(): Promise<void>;
}

/** What the core relies on of any driver's ports. Simulator and live adapter must both keep it. */
export function portContract(name: string, open: () => Promise<World>): void {
  describe(name, () => {
    let world: World;
    let frame: Frame;
    beforeAll(async () => {
      world = await open();
      frame = world.fleet.register(new Frame());
    });
    afterAll(() => world?.close());

    const look = async (): Promise<number> => {
      const at = await world.pass();
      frame.at = at;
      await world.telemetry.read(at, frame);
      return at;
    };
    const apply = async (at: number, resource: number, to: (granted: number) => number) => {
      const intents = new IntentBatch();
      for (const slot of world.fleet.slots) {
        const granted = frame.allocation[slot * R + resource]!;
        intents.add(slot, resource, granted, to(granted));
      }
      await world.hypervisor.apply(at, intents);
      return intents;
    };

    it('fills a row for every VM: usage or NaN, pressure in 0..1, what is granted, and when', async () => {
      await look();
      const at = await look();
      expect(world.fleet.slots.length).toBeGreaterThan(0);
      for (const slot of world.fleet.slots) {
        for (let i = slot * R; i < slot * R + R; i++) {
          const managed = world.fleet.max[i]! > 0;
          if (!Number.isNaN(frame.usage[i]!)) expect(frame.usage[i]).toBeGreaterThanOrEqual(0);
          expect(frame.pressure[i]).toBeGreaterThanOrEqual(0);
          expect(frame.pressure[i]).toBeLessThanOrEqual(1);
          if (managed) expect(frame.allocation[i]).toBeGreaterThan(0);
        }
        expect(frame.usage[slot * R + CPU]).not.toBeNaN();
        expect(frame.sampledAt[slot]).toBeLessThanOrEqual(at);
      }
    });

    it('never shows a sample later than what is asked for', async () => {
      const at = await world.pass();
      const before = at - 1;
      let refused = false;
      try {
        await world.telemetry.read(before, frame);
      } catch {
        refused = true;
      }
      for (const slot of world.fleet.slots) {
        expect(refused || frame.sampledAt[slot]! <= before).toBe(true);
      }
    });

    it('gives every intent an outcome, and what was carried out is seen in a later frame', async () => {
      const at = await look();
      const granted = Float64Array.from(frame.allocation);
      const intents = await apply(at, CPU, (cores) => Math.max(0.3, cores * 0.5));
      for (let i = 0; i < intents.count; i++) {
        expect([OUTCOME.accepted, OUTCOME.applied]).toContain(intents.outcome[i]);
      }
      await look();
      const later = await look();
      for (let i = 0; i < intents.count; i++) {
        const index = intents.slot[i]! * R + CPU;
        expect(frame.allocation[index]).toBeCloseTo(intents.to[i]!, 1);
      }
      const back = await apply(later, CPU, () => 0);
      // Not a size a VM can have: refused, failed or bounded, but answered, and the VM is still granted something.
      for (let i = 0; i < back.count; i++) expect(back.outcome[i]).not.toBe(OUTCOME.pending);
      const restore = new IntentBatch();
      for (const slot of world.fleet.slots) {
        restore.add(slot, CPU, frame.allocation[slot * R + CPU]!, granted[slot * R + CPU]!);
      }
      await world.hypervisor.apply(later, restore);
      await look();
      await look();
      for (const slot of world.fleet.slots) {
        expect(frame.allocation[slot * R + CPU]).toBeCloseTo(granted[slot * R + CPU]!, 1);
      }
    });

    it('takes an empty batch and one for memory', async () => {
      const at = await look();
      await world.hypervisor.apply(at, new IntentBatch());
      const intents = await apply(at, MEMORY, (mib) => mib);
      for (let i = 0; i < intents.count; i++) expect(intents.outcome[i]).not.toBe(OUTCOME.pending);
    });
  });
}
