import { readFileSync } from 'node:fs';
import { isCollection, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { EXIT, ForesizeError, type Problem } from '../core/errors.ts';
import { zodProblems } from '../core/problems.ts';

/**
 * Reads a YAML file by a schema. Every problem is told at once, with its line and dotted path.
 * @param code opening of the error codes: `CONFIG` gives CONFIG_UNREADABLE, CONFIG_YAML and CONFIG_INVALID
 * @throws ForesizeError
 */
export function readYaml<T>(schema: z.ZodType<T>, file: string, code: string): T {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const problem = { code: `${code}_UNREADABLE`, what: (cause as Error).message, where: file };
    throw new ForesizeError({ ...problem, remedy: 'give the path of a readable file' }, EXIT.usage, cause);
  }
  return parseYaml(schema, text, file, code);
}

export function parseYaml<T>(schema: z.ZodType<T>, text: string, file: string, code: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new ForesizeError(
      document.errors.map((error): Problem => {
        const { line, col } = lines.linePos(error.pos[0]);
        return {
          code: `${code}_YAML`,
          what: error.message,
          where: `${file}:${line}:${col}`,
          remedy: 'correct the YAML',
        };
      }),
    );
  }
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  throw new ForesizeError(
    zodProblems(parsed.error, `${code}_INVALID`, (path) => {
      let node: unknown = document.contents;
      let offset = 0;
      for (const key of path) {
        node = isCollection(node) ? node.get(key, true) : undefined;
        if (!isNode(node)) break;
        offset = node.range?.[0] ?? offset;
      }
      const dotted = path.map(String).join('.');
      return `${file}:${lines.linePos(offset).line}${dotted ? `: ${dotted}` : ''}`;
    }),
  );
}
