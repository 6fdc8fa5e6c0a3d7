import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Advice } from '../../core/cost/recommendation.ts';
import type { Comparison } from '../result.ts';
import { htmlReport } from './html.ts';
import { jsonReport } from './json.ts';
import { markdownReport } from './markdown.ts';
import { planeSvg } from './svg.ts';

export interface ReportFiles {
  readonly html: string;
  readonly markdown: string;
  readonly json: string;
  /** The cost-against-violation plane, for a README. */
  readonly svg: string;
}

/** Writes the forms of a report into `folder`; each file appears whole or not at all. */
export async function writeReports(
  comparison: Comparison,
  folder: string,
  advice?: Advice,
): Promise<ReportFiles> {
  mkdirSync(folder, { recursive: true });
  return {
    html: whole(join(folder, 'report.html'), htmlReport(comparison, advice)),
    markdown: whole(join(folder, 'report.md'), markdownReport(comparison)),
    json: whole(join(folder, 'comparison.json'), jsonReport(comparison)),
    svg: whole(join(folder, 'plane.svg'), await planeSvg(comparison)),
  };
}

function whole(file: string, text: string): string {
  writeFileSync(`${file}.tmp`, text);
  renameSync(`${file}.tmp`, file);
  return file;
}
