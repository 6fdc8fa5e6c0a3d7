import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** A bundled scenario as it stands in its file. */
export function bundled(name: string): Record<string, unknown> & { workload: object } {
  const file = new URL(`../../../scenarios/${name}.yaml`, import.meta.url);
  return parse(readFileSync(file, 'utf8')) as Record<string, unknown> & { workload: object };
}
