import { readFileSync } from 'node:fs';
import { isCollection, isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { EXIT, ForesizeError, type Problem } from '../../core/errors.ts';
import { zodProblems } from '../../core/problems.ts';
import { type Assignment, assignmentSchema } from './assignment.ts';

/** The mapping file: an assignment a domain, for hosts whose domains cannot be tagged. */
export const mappingSchema = z.strictObject({
  domains: z.array(
    assignmentSchema.extend({ domain: z.string().min(1).describe('name or UUID of the domain') }),
  ),
});

export interface MappingEntry {
  /** Name or UUID. */
  readonly domain: string;
  readonly assignment: Assignment;
  /** `file:line`. */
  readonly where: string;
}

/** @throws ForesizeError MAPPING_UNREADABLE, MAPPING_SYNTAX, MAPPING_INVALID, MAPPING_DUPLICATE */
export function readMapping(file: string): MappingEntry[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const problem = { code: 'MAPPING_UNREADABLE', what: (cause as Error).message, where: file };
    throw new ForesizeError({ ...problem, remedy: 'give the path of a readable file' }, EXIT.usage, cause);
  }
  return parseMapping(text, file);
}

/** Every problem is reported at once, each with its line. */
export function parseMapping(text: string, file: string): MappingEntry[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ForesizeError(
      document.errors.map((error) => ({
        code: 'MAPPING_SYNTAX',
        what: error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, ''),
        where: place(error.pos[0]),
        remedy: 'correct the YAML',
      })),
    );
  }
  /** Where a path of the schema lies in the file: at the deepest node of it that exists. */
  const at = (path: readonly PropertyKey[]): string => {
    let node: unknown = document.contents;
    let offset = 0;
    for (const key of path) {
      node = isCollection(node) ? node.get(key, true) : undefined;
      if (!isNode(node)) break;
      offset = node.range?.[0] ?? offset;
    }
    return place(offset);
  };
  const result = mappingSchema.safeParse(document.toJS());
  if (!result.success) {
    const problems = zodProblems(result.error, 'MAPPING_INVALID', (path) =>
      `${at(path)} ${path.map(String).join('.')}`.trim(),
    );
    throw new ForesizeError(
      problems.map((problem) => ({ ...problem, remedy: 'see docs/live.md for the fields' })),
    );
  }
  const seen = new Set<string>();
  const problems: Problem[] = [];
  const entries = result.data.domains.map(({ domain, ...assignment }, i) => {
    const where = at(['domains', i, 'domain']);
    if (seen.has(domain)) {
      problems.push({
        code: 'MAPPING_DUPLICATE',
        what: `${domain} is listed twice`,
        where,
        remedy: 'remove one',
      });
    }
    seen.add(domain);
    return { domain, assignment, where };
  });
  if (problems.length > 0) throw new ForesizeError(problems);
  return entries;
}
