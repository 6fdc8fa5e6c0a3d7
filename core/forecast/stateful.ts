import type { ModelDocument, SavedState } from './model-document.ts';
import type { Training, TrainingHealth } from './retrained.ts';

/** A part of a forecaster whose state can be written down by row of the hierarchy and by slot, and put back. */
export interface Stateful {
  /** A text that differs when the parameters do. */
  readonly parameters: string;
  saveRow(row: number): SavedState;
  /** @throws when `saved` is not what `saveRow` wrote */
  loadRow(row: number, saved: SavedState, tick: number): void;
  saveSlot(slot: number): SavedState;
  loadSlot(slot: number, saved: SavedState, tick: number): void;
  /** What the row was last trained on, if it was. */
  trainingOf(row: number): Training | undefined;
  health(): TrainingHealth;
}

/** A forecaster whose models can be kept over a restart. */
export interface Persistent {
  /** One document for each (application, user), each application and the fleet. */
  models(): ModelDocument[];
  /**
   * Takes a document back; the VMs it knows may be admitted before or after.
   * @throws ForesizeError MODEL_CORRUPT, MODEL_FOREIGN
   */
  load(document: unknown): void;
  health(): TrainingHealth;
}

/** Whether a forecaster's models can be kept. */
export function isPersistent<T extends object>(forecaster: T): forecaster is T & Persistent {
  return 'models' in forecaster && 'load' in forecaster && 'health' in forecaster;
}

/** The forecaster as one whose models can be kept, if it is. */
export function persistent(forecaster: object | undefined): Persistent | undefined {
  return forecaster && isPersistent(forecaster) ? forecaster : undefined;
}
