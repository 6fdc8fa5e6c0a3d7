import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { controllerShape } from '../core/config.ts';
import { changeSchema } from '../core/cost/change.ts';
import { advisorParams } from '../core/cost/params.ts';
import { tolerancesSchema } from '../core/cost/tolerance.ts';
import { DURATION, parseDuration } from '../core/duration.ts';
import { ForesizeError, type Problem } from '../core/errors.ts';
import { zodProblems } from '../core/problems.ts';
import { hostsParams } from './cluster/hosts-model.ts';
import { hypervisorParams } from './cluster/hypervisor-model.ts';
import { telemetryParams } from './cluster/sim-telemetry.ts';
import { vmModelParams } from './cluster/vm-model.ts';
import { workloadSchema } from './workload/schema.ts';

export const API_VERSION = 'foresize/v1';

const duration = z.string().regex(DURATION, 'expected a duration such as 5m, 1h30m or 7d');

/** A scenario: a workload, the world it runs in, and the policies to try on it. */
export const scenarioSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    name: z.string().min(1).describe('Shown in tables and reports.'),
    description: z.string().default(''),
    seed: z.int().min(0).max(0xffffffff).default(1).describe('Seed of every random stream of the run.'),
    tick: duration.default('5m').describe('Length of a tick.'),
    duration: duration.optional().describe('Simulated time; a trace runs to its end when left out.'),
    warmup: duration.default('1d').describe('Time at the start that is observed, not acted on, not scored.'),
    workload: workloadSchema,
    ...controllerShape,
    hypervisor: hypervisorParams.describe('Latency and failure of resizes.'),
    telemetry: telemetryParams.describe('Errors of what is observed.'),
    vms: vmModelParams.describe('How guests behave when they are short.'),
    hosts: hostsParams
      .optional()
      .describe('Hosts the VMs share. Without them every VM has what it was allocated.'),
    tolerances: tolerancesSchema
      .optional()
      .describe(
        'What the work of an application can bear, by application: what waits, what may be interrupted.',
      ),
    changes: z
      .array(changeSchema)
      .optional()
      .describe('What the operator has changed: written by `foresize recommend apply`.'),
    advisor: advisorParams.optional().describe('What the cost advisor looks for, and what it holds back.'),
    record: z
      .strictObject({
        vms: z.int().min(0).max(1000).default(6).describe('VMs whose every tick is kept for the report.'),
      })
      .prefault({}),
    compare: z
      .strictObject({
        policies: z.array(z.string()).min(2).optional().describe('Policies to compare; all when left out.'),
        baseline: z.string().optional().describe('The policy the others are measured against.'),
        level: z.number().gt(0.5).lt(1).default(0.95).describe('Level of the intervals.'),
        resamples: z.int().min(100).max(100_000).default(2000).describe('Bootstrap resamples.'),
      })
      .prefault({}),
  })
  .check((ctx) => {
    const { policies, policy, applications, compare } = ctx.value;
    const known = Object.keys(policies);
    const check = (name: string | undefined, path: (string | number)[]) => {
      if (name === undefined || known.includes(name)) return;
      ctx.issues.push({
        code: 'custom',
        input: name,
        path,
        message: `no policy is named '${name}'; known: ${known.join(', ')}`,
      });
    };
    check(policy, ['policy']);
    for (const [app, name] of Object.entries(applications)) check(name, ['applications', app]);
    compare.policies?.forEach((name, i) => {
      check(name, ['compare', 'policies', i]);
    });
    check(compare.baseline, ['compare', 'baseline']);
    for (const name of Object.keys(ctx.value.anomalies?.policies ?? {}))
      check(name, ['anomalies', 'policies', name]);
    const { duration, workload } = ctx.value;
    if (duration === undefined || !DURATION.test(duration)) return;
    workload.anomalies.forEach(({ from, within }, i) => {
      if (!DURATION.test(from) || !DURATION.test(within)) return;
      if (parseDuration(from) + parseDuration(within) <= parseDuration(duration)) return;
      ctx.issues.push({
        code: 'custom',
        input: from,
        path: ['workload', 'anomalies', i, 'from'],
        message: `an onset may fall after the end: from ${from} and within ${within} exceed the duration of ${duration}`,
      });
    });
  });

export type Scenario = z.infer<typeof scenarioSchema>;

export interface LoadedScenario {
  readonly scenario: Scenario;
  /** Folder that relative paths in the scenario start from. */
  readonly baseDir: string;
  readonly file: string;
}

/**
 * Reads a scenario file. `sets` are `a.b=c` overrides, the value as YAML.
 * @throws ForesizeError that lists every problem with file, line and dotted path; exit code 2
 */
export function loadScenario(file: string, sets: readonly string[] = []): LoadedScenario {
  return { scenario: parseScenario(readScenario(file), file, sets), baseDir: dirname(resolve(file)), file };
}

/** @throws ForesizeError SCENARIO_UNREADABLE */
export function readScenario(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ForesizeError(
      {
        code: 'SCENARIO_UNREADABLE',
        what: `the scenario cannot be read: ${(cause as Error).message}`,
        where: file,
        remedy: 'name a YAML file; bundled ones are in scenarios/',
      },
      2,
      cause,
    );
  }
}

export function parseScenario(text: string, file: string, sets: readonly string[] = []): Scenario {
  return parseAs(scenarioSchema, text, file, sets);
}

/** Reads YAML by a schema; every problem is told with its line and dotted path. */
export function parseAs<T>(
  schema: z.ZodType<T>,
  text: string,
  file: string,
  sets: readonly string[] = [],
): T {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (doc.errors.length > 0) {
    throw new ForesizeError(
      doc.errors.map((error): Problem => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { code: 'SCENARIO_YAML', what: error.message, where: `${file}:${line}:${col}` };
      }),
    );
  }
  for (const set of sets) applySet(doc, set);
  const parsed = schema.safeParse(doc.toJS());
  if (parsed.success) return parsed.data;
  throw new ForesizeError(
    zodProblems(parsed.error, 'SCENARIO_INVALID', (path) => {
      const line = lineOf(doc, lines, path);
      const dotted = path.map(String).join('.');
      return `${file}${line === undefined ? '' : `:${line}`}${dotted ? `: ${dotted}` : ''}`;
    }),
  );
}

/** `a.b.c=value`, the value read as YAML: numbers, booleans and lists keep their types. */
function applySet(doc: Document, set: string): void {
  const at = set.indexOf('=');
  if (at < 1) {
    throw new ForesizeError({
      code: 'SET_INVALID',
      what: `'${set}' is not of the form a.b=value`,
      where: '--set',
      remedy: 'for example --set policies.vpa.margin=0.2',
    });
  }
  const path = set.slice(0, at).split('.');
  const value = parseDocument(set.slice(at + 1)).toJS();
  for (let depth = 1; depth < path.length; depth++) {
    if (!isMap(doc.getIn(path.slice(0, depth), true))) doc.setIn(path.slice(0, depth), doc.createNode({}));
  }
  doc.setIn(path, value);
}

/** Line of the node at `path` of a YAML document, or of its nearest ancestor that is written down. */
export function lineOf(doc: Document, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  for (let depth = path.length; depth >= 0; depth--) {
    const parent = doc.getIn(path.slice(0, depth - 1), true);
    if (depth > 0 && isMap(parent)) {
      // The key's own line, not its value's.
      const pair = parent.items.find(
        (item) => isNode(item.key) && String(item.key) === String(path[depth - 1]),
      );
      if (pair && isNode(pair.key) && pair.key.range) return lines.linePos(pair.key.range[0]).line;
    }
    const node = depth === 0 ? doc.contents : doc.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

/** The scenario's JSON Schema, from the same source that validates. */
export function scenarioJsonSchema(): unknown {
  return z.toJSONSchema(scenarioSchema, { io: 'input', unrepresentable: 'any' });
}
