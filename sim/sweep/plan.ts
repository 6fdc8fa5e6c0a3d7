import { resolve } from 'node:path';
import { canonicalJson } from '../canonical-json.ts';
import { codeVersion } from '../code-version.ts';
import { runIdentity } from '../experiment.ts';
import { sha256 } from '../run-folder.ts';
import type { Scenario } from '../scenario.ts';
import { type Axis, axesOf } from './axis.ts';
import { BaseScenario } from './base-scenario.ts';
import { type Constraint, compileConstraint, lookupIn } from './constraint.ts';
import { combinations, constrained } from './designs/design.ts';
import { type PointTask, workloadKey } from './point-task.ts';
import type { DesignSpec, Spec, SweepSpec } from './spec.ts';

/** One combination of values. Points that come to the same run share an id. */
export interface Point {
  /** Hash of the resolved scenario as its policy sees it, and of the code. */
  readonly id: string;
  /** By axis, in the order of `Plan.axes`. */
  readonly values: readonly unknown[];
}

/** What a sweep runs, in order: all of it is known before anything is run. */
export interface Plan {
  readonly schema: 'foresize/sweep/v1';
  /** Hash of the points and the axes: two sweeps with one id are the same. */
  readonly id: string;
  readonly version: string;
  readonly name: string;
  /** Folder that paths in the scenario start from. */
  readonly baseDir: string;
  readonly design: DesignSpec['kind'];
  readonly axes: readonly { readonly name: string; readonly fields: readonly string[] }[];
  readonly points: readonly Point[];
}

/** A sweep that is ready to run: its plan, and how to make a point's scenario. */
export class Sweep {
  readonly plan: Plan;
  readonly #spec: Spec<SweepSpec>;
  readonly #axes: readonly Axis[];
  readonly #base: BaseScenario;
  /** Ids of points that share a workload, by workload in order of first use. */
  readonly #byWorkload = new Map<string, Point[]>();

  /**
   * Expands the axes, checks every point's scenario and names it by its content.
   * @throws ForesizeError SWEEP_AXIS_*, SWEEP_CONSTRAINT*, SWEEP_POINT_INVALID, with file, line and dotted path
   */
  constructor(spec: Spec<SweepSpec>) {
    this.#spec = spec;
    const axes = axesOf(spec, 'axes');
    const cross = axesOf(spec, 'cross');
    this.#axes = [...axes, ...cross];
    this.#base = new BaseScenario(
      resolve(spec.baseDir, spec.value.scenario),
      Object.entries(spec.value.set).map(([path, value]) => ({
        path,
        value,
        where: spec.place(['set', path]),
      })),
      spec.place(['scenario']),
    );
    for (const axis of this.#axes) {
      for (const path of axis.fields) this.#base.requirePolicy({ path, where: this.#placeOf(axis) });
    }
    const { baseDir } = this.#base;
    const known = new Set<string>();
    const points = [...this.#points(axes, cross)].map((values): Point => {
      const scenario = this.#resolve(values);
      const point = { id: runIdentity(scenario, scenario.policy, null), values };
      if (!known.has(point.id)) {
        known.add(point.id);
        const key = workloadKey(scenario, baseDir);
        const together = this.#byWorkload.get(key);
        if (together) together.push(point);
        else this.#byWorkload.set(key, [point]);
      }
      return point;
    });
    const shown = this.#axes.map(({ name, fields }) => ({ name, fields }));
    this.plan = {
      schema: 'foresize/sweep/v1',
      id: sha256(canonicalJson({ axes: shown, points })).slice(0, 16),
      version: codeVersion(),
      name: spec.value.name,
      baseDir,
      design: spec.value.design.kind,
      axes: shown,
      points,
    };
  }

  /** How many workloads the runs open. */
  get workloads(): number {
    return this.#byWorkload.size;
  }

  /** Every run once, those of one workload together, so that a thread opens it once. */
  runs(): Point[] {
    return [...this.#byWorkload.values()].flat();
  }

  task(point: Point): PointTask {
    return { id: point.id, scenario: this.#resolve(point.values), baseDir: this.plan.baseDir };
  }

  *#points(axes: readonly Axis[], cross: readonly Axis[]): Generator<unknown[]> {
    const { design, constraints } = this.#spec.value;
    const compiled = constraints.map((text, i) =>
      compileConstraint(text, this.#spec.place(['constraints', i])),
    );
    yield* constrained(design, axes, this.#spec.place(['constraints']), (values) =>
      [...combinations(cross)]
        .map((others) => [...values, ...others])
        .filter((whole) => this.#meets(compiled, whole)),
    );
  }

  #meets(constraints: readonly Constraint[], values: readonly unknown[]): boolean {
    const lookup = lookupIn(this.#axes, values, (path) => this.#base.get(path));
    return constraints.every((holds) => holds(lookup));
  }

  #resolve(values: readonly unknown[]): Scenario {
    const shown = this.#axes.map((axis, i) => `${axis.name}=${short(values[i])}`).join(', ');
    const overrides = this.#axes.flatMap((axis, i) =>
      axis.fields.map((path) => ({ path, value: values[i], where: this.#placeOf(axis) })),
    );
    return this.#base.resolve(overrides, shown);
  }

  #placeOf(axis: Axis): string {
    const section = axis.name in this.#spec.value.axes ? 'axes' : 'cross';
    return this.#spec.place([section, axis.name]);
  }
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
