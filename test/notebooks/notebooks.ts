import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const FOLDER = fileURLToPath(new URL('../../notebooks', import.meta.url));
export const NOTEBOOKS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.ipynb'))
  .sort();

interface Output {
  readonly output_type: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What of a notebook a test looks at. */
export interface Notebook {
  readonly cells: readonly {
    readonly cell_type: string;
    readonly source: readonly string[];
    readonly metadata: { readonly execution?: Readonly<Record<string, string>> };
    readonly outputs?: readonly Output[];
  }[];
}

export function readNotebook(file: string): Notebook {
  return JSON.parse(readFileSync(file, 'utf8')) as Notebook;
}

export const committed = (name: string): Notebook => readNotebook(join(FOLDER, name));

/** Every code cell ran, none failed; charts are there as SVG. */
export function faults({ cells }: Notebook): string[] {
  const code = cells.filter(({ cell_type: type }) => type === 'code');
  const outputs = code.flatMap((cell) => cell.outputs ?? []);
  return [
    // tslab gives no execution counts; nbconvert notes when a cell's answer came.
    ...code.flatMap(({ metadata }, i) =>
      metadata.execution?.['shell.execute_reply'] ? [] : [`cell ${i} did not run`],
    ),
    ...outputs.flatMap(({ output_type: type }) => (type === 'error' ? ['a cell failed'] : [])),
    ...(outputs.some(({ data }) => data?.['image/svg+xml'] !== undefined) ? [] : ['there is no chart']),
  ];
}
