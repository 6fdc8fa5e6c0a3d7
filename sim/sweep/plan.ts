import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { zodProblems } from '../../core/problems.ts';
import { canonicalJson } from '../canonical-json.ts';
import { codeVersion } from '../code-version.ts';
import { runIdentity } from '../experiment.ts';
import { sha256 } from '../run-folder.ts';
import { type Scenario, scenarioSchema } from '../scenario.ts';
import { type Axis, axesOf } from './axis.ts';
import { type Constraint, compileConstraint } from './constraint.ts';
import { combinations, designPoints } from './designs/design.ts';
import { getField, type Json, setField } from './fields.ts';
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

/** Rejected draws a wanted point, above which the constraints are taken to be impossible. */
const MOST_DRAWS = 1000;

/** A sweep that is ready to run: its plan, and how to make a point's scenario. */
export class Sweep {
  readonly plan: Plan;
  readonly #spec: Spec<SweepSpec>;
  readonly #axes: readonly Axis[];
  readonly #base: Json;
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
    const baseFile = resolve(spec.baseDir, spec.value.scenario);
    this.#base = readBase(baseFile, spec);
    // A sweep keeps measures, not ticks; a scenario that wants them says so under set.
    setField(this.#base, 'record.vms', 0);
    for (const [path, value] of Object.entries(spec.value.set)) {
      if (!setField(this.#base, path, value)) throw unknownField(path, spec.place(['set', path]));
    }
    this.#checkFields();
    const baseDir = dirname(baseFile);
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
    const wanted = design.kind === 'grid' ? Number.POSITIVE_INFINITY : design.samples;
    const endless = design.kind === 'random' || design.kind === 'sobol';
    let taken = 0;
    let drawn = 0;
    for (const values of designPoints(design, axes)) {
      drawn++;
      let any = false;
      for (const others of combinations(cross)) {
        const point = [...values, ...others];
        if (!this.#meets(compiled, point)) continue;
        any = true;
        yield point;
      }
      if (any) taken++;
      if (taken >= wanted) break;
      if (endless && drawn > MOST_DRAWS * (taken + 10)) break;
    }
    if (taken === 0 || (endless && taken < wanted)) {
      throw new ForesizeError({
        code: 'SWEEP_CONSTRAINTS_TOO_TIGHT',
        what: `of ${drawn} points ${taken} meet the constraints`,
        where: this.#spec.place(['constraints']),
        remedy: 'loosen the constraints, or narrow the axes to where they hold',
      });
    }
  }

  #meets(constraints: readonly Constraint[], values: readonly unknown[]): boolean {
    if (constraints.length === 0) return true;
    const lookup = (name: string): unknown => {
      for (const [i, axis] of this.#axes.entries()) {
        if (axis.name === name) return values[i];
        for (const path of axis.fields) {
          if (path === name) return values[i];
          if (name.startsWith(`${path}.`)) return getField(values[i], name.slice(path.length + 1));
        }
      }
      return getField(this.#base, name);
    };
    return constraints.every((holds) => holds(lookup));
  }

  /** The scenario as plain JSON, before its defaults are filled in. */
  #raw(values: readonly unknown[]): Json {
    const raw = structuredClone(this.#base);
    this.#axes.forEach((axis, i) => {
      for (const path of axis.fields) {
        if (!setField(raw, path, values[i])) throw unknownField(path, this.#placeOf(axis));
      }
    });
    return raw;
  }

  #resolve(values: readonly unknown[]): Scenario {
    const parsed = scenarioSchema.safeParse(this.#raw(values));
    if (parsed.success) return asSeen(parsed.data);
    const shown = this.#axes.map((axis, i) => `${axis.name}=${short(values[i])}`).join(', ');
    throw new ForesizeError(
      zodProblems(parsed.error, 'SWEEP_POINT_INVALID', (path) => {
        const dotted = path.map(String).join('.');
        const axis = this.#axes.find((a) => a.fields.some((field) => related(field, dotted)));
        return `${axis ? this.#placeOf(axis) : this.#spec.value.scenario}: ${dotted}, at ${shown}`;
      }).map((problem) =>
        problem.code.endsWith('_UNKNOWN_KEY')
          ? { ...problem, code: 'SWEEP_AXIS_UNKNOWN_FIELD' }
          : { ...problem, remedy: 'change the axis, or leave such points out with a constraint' },
      ),
    );
  }

  /** An axis below a policy or an application that the scenario does not have would invent one. */
  #checkFields(): void {
    for (const axis of this.#axes) {
      for (const path of axis.fields) {
        const [section, name, ...rest] = path.split('.');
        const known = getField(this.#base, section!);
        if (section !== 'policies' || rest.length === 0) continue;
        if (known !== null && typeof known === 'object' && name! in known) continue;
        throw unknownField(path, this.#placeOf(axis), Object.keys(known ?? {}));
      }
    }
  }

  #placeOf(axis: Axis): string {
    const section = axis.name in this.#spec.value.axes ? 'axes' : 'cross';
    return this.#spec.place([section, axis.name]);
  }
}

/** Only the policies that can act: the others neither change a run nor belong to its identity. */
function asSeen(scenario: Scenario): Scenario {
  const inPlay = new Set([scenario.policy, ...Object.values(scenario.applications)]);
  return {
    ...scenario,
    compare: scenarioSchema.shape.compare.parse({}),
    policies: Object.fromEntries(Object.entries(scenario.policies).filter(([name]) => inPlay.has(name))),
  };
}

function readBase(file: string, spec: Spec<SweepSpec>): Json {
  try {
    const base: unknown = parse(readFileSync(file, 'utf8'));
    if (base !== null && typeof base === 'object' && !Array.isArray(base)) return base as Json;
    throw new Error('it is not a map of fields');
  } catch (cause) {
    throw new ForesizeError(
      {
        code: 'SCENARIO_UNREADABLE',
        what: `the scenario ${file} cannot be read: ${(cause as Error).message}`,
        where: spec.place(['scenario']),
        remedy: 'name a scenario file, relative to the sweep file',
      },
      EXIT.usage,
      cause,
    );
  }
}

function unknownField(path: string, where: string, known?: readonly string[]): ForesizeError {
  return new ForesizeError({
    code: 'SWEEP_AXIS_UNKNOWN_FIELD',
    what: `the scenario has no field '${path}'`,
    where,
    remedy: known ? `its policies are ${known.join(', ')}` : 'see `foresize schema` for the fields there are',
  });
}

/** One path leads through the other. */
function related(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
