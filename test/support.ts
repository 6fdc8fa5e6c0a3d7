import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of real traces: $FORESIZE_TRACES, else ../shared/traces beside the checkout; undefined when absent. */
export function tracesDir(): string | undefined {
  const named = process.env['FORESIZE_TRACES'];
  const beside = fileURLToPath(new URL('../../shared/traces', import.meta.url));
  const path = named ?? beside;
  return existsSync(path) ? path : undefined;
}
