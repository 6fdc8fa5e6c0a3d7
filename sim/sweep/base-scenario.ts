import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { zodProblems } from '../../core/problems.ts';
import { type Scenario, scenarioSchema } from '../scenario.ts';
import { getField, type Json, setField } from './fields.ts';

/** A field of the scenario that takes another value. */
export interface Override {
  /** Dotted path. */
  readonly path: string;
  readonly value: unknown;
  /** Place to name in errors. */
  readonly where: string;
}

/** The scenario that an experiment varies: a file, and what the experiment sets in it once and for all. */
export class BaseScenario {
  /** Folder that relative paths in the scenario start from. */
  readonly baseDir: string;
  readonly #base: Json;

  /**
   * @param where place of the file's name, for errors
   * @throws ForesizeError SCENARIO_UNREADABLE, SWEEP_AXIS_UNKNOWN_FIELD
   */
  constructor(file: string, set: readonly Override[], where: string) {
    this.baseDir = dirname(resolve(file));
    this.#base = read(file, where);
    // An experiment keeps measures, not ticks; one that wants them says so under set.
    setField(this.#base, 'record.vms', 0);
    this.#apply(this.#base, set);
  }

  /** A field as the file or `set` has it; defaults are not filled in. */
  get(path: string): unknown {
    return getField(this.#base, path);
  }

  /** A field below a policy that the scenario does not have would invent one: an error. */
  requirePolicy({ path, where }: Pick<Override, 'path' | 'where'>): void {
    const [section, name, ...rest] = path.split('.');
    if (section !== 'policies' || rest.length === 0) return;
    const policies = Object.keys(this.get('policies') ?? {});
    if (!policies.includes(name!)) throw unknownField(path, where, `its policies are ${policies.join(', ')}`);
  }

  /**
   * The scenario with some fields changed, as its policy sees it: without policies that cannot act, which neither
   * change a run nor belong to its identity.
   * @param shown the changes in words, for errors
   * @throws ForesizeError SWEEP_AXIS_UNKNOWN_FIELD, SWEEP_POINT_INVALID
   */
  resolve(overrides: readonly Override[], shown: string): Scenario {
    const raw = structuredClone(this.#base);
    this.#apply(raw, overrides);
    const parsed = scenarioSchema.safeParse(raw);
    if (parsed.success) return asSeen(parsed.data);
    throw new ForesizeError(
      zodProblems(parsed.error, 'SWEEP_POINT_INVALID', (path) => {
        const dotted = path.map(String).join('.');
        const by = overrides.find((override) => related(override.path, dotted));
        return `${by?.where ?? 'the scenario'}: ${dotted}, at ${shown}`;
      }).map((problem) =>
        problem.code.endsWith('_UNKNOWN_KEY')
          ? { ...problem, code: 'SWEEP_AXIS_UNKNOWN_FIELD' }
          : { ...problem, remedy: 'change the axis, or leave such points out with a constraint' },
      ),
    );
  }

  #apply(raw: Json, overrides: readonly Override[]): void {
    for (const { path, value, where } of overrides) {
      if (!setField(raw, path, value)) throw unknownField(path, where);
    }
  }
}

function asSeen(scenario: Scenario): Scenario {
  const inPlay = new Set([scenario.policy, ...Object.values(scenario.applications)]);
  return {
    ...scenario,
    compare: scenarioSchema.shape.compare.parse({}),
    policies: Object.fromEntries(Object.entries(scenario.policies).filter(([name]) => inPlay.has(name))),
  };
}

function read(file: string, where: string): Json {
  try {
    const base: unknown = parse(readFileSync(file, 'utf8'));
    if (base !== null && typeof base === 'object' && !Array.isArray(base)) return base as Json;
    throw new Error('it is not a map of fields');
  } catch (cause) {
    throw new ForesizeError(
      {
        code: 'SCENARIO_UNREADABLE',
        what: `the scenario ${file} cannot be read: ${(cause as Error).message}`,
        where,
        remedy: 'name a scenario file, relative to this file',
      },
      EXIT.usage,
      cause,
    );
  }
}

function unknownField(
  path: string,
  where: string,
  remedy = 'see `foresize schema` for the fields there are',
): ForesizeError {
  return new ForesizeError({
    code: 'SWEEP_AXIS_UNKNOWN_FIELD',
    what: `the scenario has no field '${path}'`,
    where,
    remedy,
  });
}

/** One path leads through the other. */
function related(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}
