import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { DURATION } from '../../core/duration.ts';
import { EXIT, ForesizeError, type Problem } from '../../core/errors.ts';
import { closestIssues } from '../../core/issues.ts';
import { API_VERSION, lineOf } from '../scenario.ts';

const end = z.union([z.number(), z.string().regex(DURATION, 'expected a number or a duration such as 30m')]);

const range = {
  from: end,
  to: end,
  steps: z.int().min(2).max(100_000).optional().describe('Levels, both ends included; a grid needs them.'),
  scale: z.enum(['linear', 'log']).default('linear'),
  integer: z.boolean().default(false).describe('Whole numbers only.'),
};

const field = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .optional()
  .describe("Dotted path the axis sets, or several that move together; the axis' name when left out.");

/** A list of values, or a range. */
export const axisSchema = z.union([
  z.array(z.json()),
  z.strictObject({ field, values: z.array(z.json()) }),
  z.strictObject({ field, ...range }),
]);
export type AxisSpec = z.infer<typeof axisSchema>;

const samples = z.int().min(1).max(10_000_000).describe('Number of points.');
const seed = z.int().min(0).max(0xffffffff).default(1);

export const designSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('grid').describe('Every combination.') }),
    z.strictObject({ kind: z.literal('random'), samples, seed }),
    z.strictObject({ kind: z.literal('latin-hypercube'), samples, seed }),
    z.strictObject({ kind: z.literal('sobol'), samples, seed }),
  ])
  .prefault({ kind: 'grid' });
export type DesignSpec = z.infer<typeof designSchema>;

/** A sweep: a scenario, and the fields of it that take many values. */
export const sweepSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  name: z.string().min(1),
  description: z.string().default(''),
  scenario: z.string().min(1).describe('Scenario file, relative to this file.'),
  set: z
    .record(z.string(), z.json())
    .default({})
    .describe('Fields of the scenario that differ from its file.'),
  axes: z.record(z.string().min(1), axisSchema).describe('Values by dotted path; the design combines them.'),
  cross: z
    .record(z.string().min(1), axisSchema)
    .default({})
    .describe('More axes: every point of the design is run with every combination of these.'),
  design: designSchema,
  constraints: z
    .array(z.string().min(1))
    .default([])
    .describe('A point is left out unless all of them hold.'),
});
export type SweepSpec = z.infer<typeof sweepSchema>;

/** A YAML file against its schema, with the places of what it holds. */
export interface Spec<T> {
  readonly value: T;
  readonly file: string;
  /** Folder that relative paths in the file start from. */
  readonly baseDir: string;
  /** `file:line: a.b` of a path in the file. */
  place(path: readonly PropertyKey[]): string;
}

export function loadSweep(file: string): Spec<SweepSpec> {
  return loadSpec(file, sweepSchema, 'SWEEP');
}

/**
 * Reads a YAML file and checks it against a schema.
 * @param code what the codes of the problems begin with
 * @param doc the page that has every field
 * @throws ForesizeError that lists every problem with file, line and dotted path; exit code 2
 */
export function loadSpec<T extends z.ZodType>(
  file: string,
  schema: T,
  code: string,
  doc = 'docs/experiments.md',
): Spec<z.infer<T>> {
  const lines = new LineCounter();
  const yaml = parseDocument(readText(file, code, doc), { lineCounter: lines, prettyErrors: false });
  if (yaml.errors.length > 0) {
    throw new ForesizeError(
      yaml.errors.map((error): Problem => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { code: `${code}_YAML`, what: error.message, where: `${file}:${line}:${col}` };
      }),
    );
  }
  const place = (path: readonly PropertyKey[]): string => {
    const line = lineOf(yaml, lines, path);
    return `${file}${line === undefined ? '' : `:${line}`}${path.length > 0 ? `: ${path.map(String).join('.')}` : ''}`;
  };
  const parsed = schema.safeParse(yaml.toJS());
  if (!parsed.success) {
    throw new ForesizeError(
      closestIssues(parsed.error).map(
        (issue): Problem => ({
          code: `${code}_INVALID`,
          what: issue.message,
          where: place(issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path),
          remedy: `${doc} has every field`,
        }),
      ),
    );
  }
  return { value: parsed.data, file, baseDir: dirname(resolve(file)), place };
}

function readText(file: string, code: string, doc: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ForesizeError(
      {
        code: `${code}_UNREADABLE`,
        what: `the file cannot be read: ${(cause as Error).message}`,
        where: file,
        remedy: `name a YAML file; ${doc} has examples`,
      },
      EXIT.usage,
      cause,
    );
  }
}
