import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AugursRuntime } from '../core/forecast/augurs.ts';

const require = createRequire(import.meta.url);

/** The augurs packages as installed: read from disk when a model asks for them, and not before. */
export const augursRuntime: AugursRuntime = {
  wasm: (part) => readFile(require.resolve(`@bsull/augurs/${part}`).replace(/\.js$/, '_bg.wasm')),
  optimizer: async () => (await import('@bsull/augurs-prophet-wasmstan')).optimizer,
};
