import type { Actuator } from './actuator.ts';
import type { Book } from './book.ts';
import type { Plant } from './plant.ts';
import type { WallClock } from './wall-clock.ts';

/** The limits that were set, and how they are put back as they were before the first resize. */
export class Limits {
  readonly #book: Book;
  readonly #plant: Plant;
  readonly #clock: WallClock;
  readonly #actuator: Actuator;

  constructor(book: Book, plant: Plant, clock: WallClock, actuator: Actuator) {
    this.#book = book;
    this.#plant = plant;
    this.#clock = clock;
    this.#actuator = actuator;
  }

  /**
   * Lifts the limits that were set. What cannot be lifted is told and stays on the list.
   * @param of the VMs; all when left out
   */
  async lift(by: string, of: (vmId: string) => boolean = () => true): Promise<void> {
    const { originals } = this.#book.ledger;
    if (!this.#plant.writable || ![...originals.keys()].some(of)) return;
    await this.#actuator.idle();
    const vmIds: string[] = [];
    for (const [vmId, original] of originals) {
      if (!of(vmId)) continue;
      try {
        await this.#plant.restore(vmId, original);
        vmIds.push(vmId);
      } catch (error) {
        const text = `its limits could not be lifted: ${(error as Error).message}`;
        this.#book.event({ kind: 'problem', vmId, text });
      }
    }
    if (vmIds.length === 0) return;
    this.#book.happened({ kind: 'restored', at: this.#clock.now(), vmIds, by });
    this.#book.event({ kind: 'alarm', text: `the limits of ${vmIds.join(', ')} were lifted: ${by}` });
  }

  /** VMs that are no longer to be resized, and run on, get their limits back. */
  async release(vmIds: readonly string[]): Promise<void> {
    for (const vmId of vmIds) {
      const original = this.#book.ledger.originals.get(vmId);
      if (!original || !this.#plant.writable) continue;
      await this.#plant.restore(vmId, original).catch((error: Error) => {
        this.#book.event({ kind: 'problem', vmId, text: `its limits may still be set: ${error.message}` });
      });
    }
  }
}
