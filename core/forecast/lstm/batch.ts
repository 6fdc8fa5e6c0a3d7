import { R } from '../../model.ts';
import { allocate, type Kernels } from './kernels.ts';
import {
  CANDIDATES,
  contextWidth,
  count,
  headShapes,
  INPUTS,
  type NetworkShape,
  outputWidth,
  QUANTILES,
} from './sizes.ts';

const Q = QUANTILES.length;

/**
 * A batch of windows, reused from call to call, in the memory where the head's kernels work. Except for `x`, rows are
 * resource x window; numbers are in units of the row's `scale`, relative to its `last` value.
 */
export class Batch {
  readonly size: number;
  readonly shape: NetworkShape;
  /** step x window x INPUTS */
  readonly x: Float32Array;
  /** row x contextWidth */
  readonly context: Float32Array;
  /** Forecast of the last value with the residual quantiles of the last day: row x quantile x step. */
  readonly base: Float32Array;
  /** Other forecasts, less the base: row x CANDIDATES x quantile x step. */
  readonly candidates: Float32Array;
  /** What came: row x step, NaN where nothing was seen. */
  readonly target: Float32Array;
  readonly last: Float64Array;
  /** In the resource's unit; NaN while it was never seen. */
  readonly scale: Float64Array;
  /** Size of the movements to expect about each quantile, as a share of `scale`: row x quantile. */
  readonly unit: Float32Array;
  /** 0 for a series that stood still all the last day, else 1. */
  readonly live: Float32Array;
  /** The network's forecast: row x quantile x step. */
  readonly paths: Float32Array;
  readonly kernels: Kernels;
  /** Workspace of `Features` for one row; see `Kernels.candidates`. */
  readonly row: Readonly<Record<'slow' | 'quantiles' | 'steps' | 'limits', Float32Array>>;
  /** Workspace of `head.ts`: last states, units, outputs, and the weights with their gradients. */
  readonly work: Readonly<
    Record<
      | 'states'
      | 'hidden'
      | 'raw'
      | 'units'
      | 'output'
      | 'mix'
      | 'dStates'
      | 'dHidden'
      | 'dUnits'
      | 'dOutput'
      | 'dMix'
      | 'transposed',
      Float32Array
    >
  >;

  constructor(size: number, shape: NetworkShape) {
    const { steps, hidden, horizon } = shape;
    const rows = R * size;
    const path = Q * horizon;
    const weights = headShapes(shape);
    const [units, output, mix] = [count(weights.units), count(weights.output), count(weights.mix)];
    const { kernels, arrays } = allocate({
      context: rows * contextWidth(horizon),
      base: rows * path,
      candidates: rows * CANDIDATES * path,
      unit: rows * Q,
      paths: rows * path,
      states: size * hidden,
      hidden: rows * hidden,
      raw: rows * outputWidth(horizon),
      ...{ units, output, mix },
      ...{ dStates: size * hidden, dHidden: rows * hidden, dUnits: units, dOutput: output, dMix: mix },
      ...{ slow: path, quantiles: 3 * Q, steps: 3 * horizon, limits: 3 },
      transposed: hidden * Math.max(hidden, outputWidth(horizon)),
    });
    this.size = size;
    this.shape = shape;
    this.kernels = kernels;
    this.work = arrays;
    this.row = arrays;
    this.context = arrays.context;
    this.base = arrays.base;
    this.candidates = arrays.candidates;
    this.unit = arrays.unit;
    this.paths = arrays.paths;
    this.x = new Float32Array(steps * size * INPUTS);
    this.target = new Float32Array(rows * horizon);
    this.last = new Float64Array(rows);
    this.scale = new Float64Array(rows);
    this.live = new Float32Array(rows);
  }
}
