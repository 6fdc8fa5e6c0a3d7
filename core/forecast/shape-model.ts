import type { Shape } from './dynamic-regression.ts';

/** A shape that a model fitted: it can be asked for values, and it can be written down. */
export interface FittedShape extends Shape {
  /** Root mean squared error in the training window, in units of the VM's size. */
  readonly loss: number;
  /** Parameters as plain data: JSON and back through `ShapeModel.parse` gives the same values bit for bit. */
  save(): unknown;
}

export type FitFailure = { readonly failed: string };

/** Series to be trained on together, evenly spaced: `values[k * length + j]` covers `every` ticks from `from`. */
export interface TrainingBatch {
  readonly count: number;
  readonly length: number;
  readonly values: Float64Array;
  /** First tick of the first sample, and ticks a sample. */
  readonly from: number;
  readonly every: number;
}

/**
 * A model that is fitted to a batch of series at intervals. What it returns can predict; the model itself cannot, so
 * that nothing is ever asked of a model that was not fitted.
 */
export interface ShapeModel {
  readonly name: string;
  /** Changes when parameters of an older one can no longer be read. */
  readonly version: number;
  /** What it was configured with, as plain data. */
  readonly parameters: unknown;
  /** One result a series. Throws only on defects of its own, never because of the data. */
  fit(batch: TrainingBatch): (FittedShape | FitFailure)[] | Promise<(FittedShape | FitFailure)[]>;
  /** @throws when `saved` is not what `save` wrote */
  parse(saved: unknown): FittedShape;
}
