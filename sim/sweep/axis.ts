import { formatDuration, parseDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';
import { exp, log } from '../../core/math.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { AxisSpec, Spec, SweepSpec } from './spec.ts';

/** One dimension of a sweep. */
export interface Axis {
  readonly name: string;
  /** Dotted paths of the scenario that take the value. */
  readonly fields: readonly string[];
  /** What it may be, in order; undefined when it is a continuous range. */
  readonly levels: readonly unknown[] | undefined;
  /** The value at a share u in [0, 1) of the way through. */
  at(u: number): unknown;
}

/**
 * The axes of one section of a sweep.
 * @throws ForesizeError SWEEP_AXIS_EMPTY, SWEEP_AXIS_TWICE, SWEEP_AXIS_RANGE, SWEEP_AXIS_NO_STEPS
 */
export function axesOf(spec: Spec<SweepSpec>, section: 'axes' | 'cross'): Axis[] {
  const needLevels = section === 'cross' || spec.value.design.kind === 'grid';
  return Object.entries(spec.value[section]).map(([name, axis]) => {
    const made = toAxis(name, axis, spec.place([section, name]));
    if (needLevels && !made.levels) {
      throw new ForesizeError({
        code: 'SWEEP_AXIS_NO_STEPS',
        what: 'a grid needs to know how many levels the range has',
        where: spec.place([section, name]),
        remedy: 'add steps, or choose design: {kind: sobol, samples: ...}',
      });
    }
    return made;
  });
}

/** @param where place to name in errors */
export function toAxis(name: string, spec: AxisSpec, where: string): Axis {
  const field = Array.isArray(spec) ? undefined : spec.field;
  const fields = field === undefined ? [name] : Array.isArray(field) ? field : [field];
  if (Array.isArray(spec)) return listAxis(name, fields, spec, where);
  if ('values' in spec) return listAxis(name, fields, spec.values, where);
  return rangeAxis(name, fields, spec, where);
}

function listAxis(name: string, fields: string[], values: readonly unknown[], where: string): Axis {
  if (values.length === 0) {
    throw new ForesizeError({
      code: 'SWEEP_AXIS_EMPTY',
      what: 'the axis has no values',
      where,
      remedy: 'give it at least one value, or take the axis out',
    });
  }
  const seen = new Set<string>();
  for (const value of values) {
    const text = canonicalJson(value);
    if (seen.has(text)) {
      throw new ForesizeError({
        code: 'SWEEP_AXIS_TWICE',
        what: `the axis has the value ${text} twice`,
        where,
        remedy: 'keep one; to repeat a run use an axis over seed',
      });
    }
    seen.add(text);
  }
  return levelled(name, fields, values);
}

function levelled(name: string, fields: string[], levels: readonly unknown[]): Axis {
  return {
    name,
    fields,
    levels,
    at: (u) => levels[Math.min(levels.length - 1, Math.floor(u * levels.length))],
  };
}

type RangeSpec = Extract<AxisSpec, { from: unknown }>;

function rangeAxis(name: string, fields: string[], spec: RangeSpec, where: string): Axis {
  const times = typeof spec.from === 'string' || typeof spec.to === 'string';
  const number = (x: number | string) => (typeof x === 'string' ? parseDuration(x, where) : x);
  const from = number(spec.from);
  const to = number(spec.to);
  const { scale, integer, steps } = spec;
  const bad = (what: string, remedy: string) =>
    new ForesizeError({ code: 'SWEEP_AXIS_RANGE', what, where, remedy });
  if (typeof spec.from !== typeof spec.to) {
    throw bad('one end of the range is a duration and the other is not', 'write both with units, or neither');
  }
  if (!(from < to)) throw bad(`the range runs from ${spec.from} to ${spec.to}`, 'let from be below to');
  if (scale === 'log' && !(from > 0))
    throw bad('a logarithmic range begins above 0', 'raise from, or use linear');
  if (integer && !(Number.isInteger(from) && Number.isInteger(to))) {
    throw bad('a range of whole numbers ends in whole numbers', 'round from and to');
  }
  const between = (share: number): number =>
    scale === 'log' ? exp(log(from) + share * (log(to) - log(from))) : from + share * (to - from);
  const show = (x: number): unknown =>
    times ? formatDuration(x) : integer ? Math.min(to, Math.max(from, Math.round(x))) : tidy(x);
  if (steps !== undefined) {
    const all = Array.from({ length: steps }, (_, i) =>
      i === 0 ? show(from) : i === steps - 1 ? show(to) : show(between(i / (steps - 1))),
    );
    return levelled(
      name,
      fields,
      all.filter((level, i) => i === 0 || level !== all[i - 1]),
    );
  }
  // A whole number stands for the unit interval around it, so that both ends are as likely as the rest.
  const continuous = (u: number): unknown => {
    if (!integer) return show(between(u));
    if (scale === 'linear') return from + Math.floor(u * (to - from + 1));
    return show(exp(log(from - 0.5) + u * (log(to + 0.5) - log(from - 0.5))));
  };
  return { name, fields, levels: undefined, at: continuous };
}

/** Six significant digits: what a person would write down, and far finer than any field is sensitive to. */
function tidy(x: number): number {
  return Number(x.toPrecision(6));
}
