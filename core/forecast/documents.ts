import { ForesizeError } from '../errors.ts';
import type { Fleet } from '../fleet.ts';
import type { Hierarchy } from './hierarchy.ts';
import {
  corrupt,
  type ModelDocument,
  type ModelIdentity,
  openDocument,
  type SavedState,
  sealDocument,
} from './model-document.ts';
import type { Stateful } from './stateful.ts';

/**
 * Writes the models of a forecaster down, one document a row of the hierarchy, and puts them back: at once for rows and
 * VMs that are here, and as they are admitted for those that come later.
 */
export class Documents {
  /** What was refused while VMs were admitted. `load` throws instead. */
  readonly refused: ForesizeError[] = [];
  readonly #identity: ModelIdentity;
  readonly #fleet: Fleet;
  readonly #rows: Hierarchy;
  readonly #part: Stateful;
  /** Documents by row, and the rows they were put back into. */
  readonly #known = new Map<string, ModelDocument>();
  readonly #restored = new Set<string>();

  constructor(identity: ModelIdentity, fleet: Fleet, rows: Hierarchy, part: Stateful) {
    this.#identity = identity;
    this.#fleet = fleet;
    this.#rows = rows;
    this.#part = part;
  }

  /** @param tick the last observed one */
  write(tick: number): ModelDocument[] {
    const vms = this.#rows.keys.map((): Record<string, SavedState> => ({}));
    for (const slot of this.#fleet.slots) {
      vms[this.#rows.row[slot]!]![this.#fleet.specs[slot]!.vmId] = this.#part.saveSlot(slot);
    }
    return this.#rows.keys.map((key, row) => {
      const training = this.#part.trainingOf(row);
      return sealDocument(this.#identity, {
        ...key,
        tick,
        ...(training && { training: { ...training, from: iso(training.from), to: iso(training.to) } }),
        state: this.#part.saveRow(row),
        vms: vms[row]!,
      });
    });
  }

  /** @throws ForesizeError MODEL_CORRUPT, MODEL_FOREIGN */
  read(document: unknown): void {
    const opened = openDocument(document, this.#identity);
    const name = nameOf(opened);
    this.#known.set(name, opened);
    this.#restored.delete(name);
    this.#rows.keys.forEach((key, row) => {
      if (nameOf(key) === name) this.#restoreRow(row);
    });
    for (const slot of this.#fleet.slots) {
      if (nameOf(this.#rows.keys[this.#rows.row[slot]!]!) === name) this.#restoreSlot(slot);
    }
  }

  /** Gives a VM that was just admitted, and its rows, what is known of them. Never throws: it may not stop a fleet. */
  admitted(slot: number): void {
    if (this.#known.size === 0) return;
    try {
      for (let row = this.#rows.row[slot]!; row >= 0; row = this.#rows.parent[row]!) this.#restoreRow(row);
      this.#restoreSlot(slot);
    } catch (error) {
      if (!(error instanceof ForesizeError)) throw error;
      this.refused.push(error);
    }
  }

  #restoreRow(row: number): void {
    const name = nameOf(this.#rows.keys[row]!);
    const document = this.#known.get(name);
    if (!document || this.#restored.has(name)) return;
    this.#restored.add(name);
    this.#attempt(name, () => this.#part.loadRow(row, document.state, document.tick));
  }

  #restoreSlot(slot: number): void {
    const name = nameOf(this.#rows.keys[this.#rows.row[slot]!]!);
    const document = this.#known.get(name);
    const saved = document?.vms[this.#fleet.specs[slot]!.vmId];
    if (saved) this.#attempt(name, () => this.#part.loadSlot(slot, saved, document!.tick));
  }

  #attempt(name: string, load: () => void): void {
    try {
      load();
    } catch (error) {
      this.#known.delete(name);
      throw corrupt((error as Error).message, error);
    }
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function nameOf(key: { applicationId?: string | undefined; userId?: string | undefined }): string {
  return `${key.applicationId ?? ''}\u001f${key.userId ?? ''}`;
}
