import type * as Tfjs from '@tensorflow/tfjs-core';
import { EXIT, ForesizeError } from '../errors.ts';
import { registerGradients } from './lstm/gradients.ts';

/** The functions of TensorFlow.js. Loaded only when a model is made: starting the CLI must not pay for it. */
export type Tf = typeof Tfjs;

export interface Backend {
  readonly tf: Tf;
  /** Written into results and model files: figures of different backends are never compared. */
  readonly name: 'tensorflow' | 'wasm';
}

export interface BackendReport {
  readonly backend: Backend['name'] | undefined;
  readonly version: string | undefined;
  /** Why it is this one: one line for every backend that was tried, in order. */
  readonly reasons: readonly string[];
}

/** How a backend is fetched; a test hands in its own to see the choice made without the package. */
export interface Loader {
  native(): Promise<unknown>;
  wasm(): Promise<Tf>;
}

const loader: Loader = {
  // Optional and often absent, so the name is kept from the compiler's module resolution.
  native: () => import(String('@tensorflow/tfjs-node')),
  wasm: async () => {
    const tf = await import('@tensorflow/tfjs-core');
    await import('@tensorflow/tfjs-backend-wasm');
    return withoutHandlers(() => initialise(tf, 'wasm'));
  },
};

let loading: Promise<{ backend: Backend | undefined; report: BackendReport }> | undefined;

/**
 * The backend of this process: `@tensorflow/tfjs-node` when it is installed and loads, else
 * `@tensorflow/tfjs-backend-wasm`.
 * @throws ForesizeError `TENSOR_BACKEND_MISSING` when neither loads
 */
export async function loadBackend(): Promise<Backend> {
  loading ??= chooseBackend(loader);
  const { backend, report } = await loading;
  if (backend) return backend;
  throw new ForesizeError(
    {
      code: 'TENSOR_BACKEND_MISSING',
      what: `no TensorFlow.js backend loads: ${report.reasons.join('; ')}`,
      where: 'forecaster lstm',
      remedy: 'run npm ci again, or choose a forecaster other than lstm; `foresize doctor` shows this report',
    },
    EXIT.runtime,
  );
}

/** Which backend this process uses and why, for `foresize doctor`. Never throws. */
export async function backendReport(): Promise<BackendReport> {
  loading ??= chooseBackend(loader);
  return (await loading).report;
}

/** Tries the backends in order of preference. */
export async function chooseBackend(
  from: Loader,
): Promise<{ backend: Backend | undefined; report: BackendReport }> {
  const reasons: string[] = [];
  const tries: [Backend['name'], () => Promise<Tf>][] = [
    ['tensorflow', async () => withUtilFunctions(from.native)],
    ['wasm', from.wasm],
  ];
  for (const [name, load] of tries) {
    try {
      const tf = await load();
      registerGradients(tf);
      const version = tf.version_core;
      reasons.push(`${name}: loaded, tfjs-core ${version}`);
      return { backend: { tf, name }, report: { backend: name, version, reasons } };
    } catch (error) {
      reasons.push(`${name}: ${explain(error)}`);
    }
  }
  return { backend: undefined, report: { backend: undefined, version: undefined, reasons } };
}

function explain(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
  return `${missing ? 'not installed' : 'does not load'} (${String(message ?? error).split('\n', 1)[0]})`;
}

/**
 * tfjs-node 4.22 calls `util.isNullOrUndefined` and `util.isArray`, which Node 23 removed. They are put back
 * before it is loaded and stay: it calls them whenever it runs.
 */
async function withUtilFunctions(native: Loader['native']): Promise<Tf> {
  restoreUtil();
  // A CommonJS package: all of it is its default export.
  const tf = ((await native()) as { default: Tf }).default;
  return initialise(tf, 'tensorflow');
}

async function initialise(tf: Tf, name: Backend['name']): Promise<Tf> {
  if (!(await tf.setBackend(name))) throw new Error('it did not initialise');
  await tf.ready();
  return tf;
}

/** What is used of Node's `process`, without an import: the core has none of node:*. */
interface Host {
  getBuiltinModule?(name: string): unknown;
  listeners(event: string): (() => void)[];
  removeListener(event: string, listener: () => void): void;
}
const host = (globalThis as { process?: Host }).process;

/**
 * The start-up code that Emscripten puts before the wasm backend takes over the process's last-resort error
 * handlers, to no use here: an error of ours would be thrown again from inside a bundle, without its place.
 */
async function withoutHandlers<T>(start: () => Promise<T>): Promise<T> {
  const events = ['uncaughtException', 'unhandledRejection'];
  const before = events.map((event) => host?.listeners(event) ?? []);
  const result = await start();
  for (const [i, event] of events.entries()) {
    for (const listener of host?.listeners(event) ?? []) {
      if (!before[i]!.includes(listener)) host?.removeListener(event, listener);
    }
  }
  return result;
}

/** Restores on `util` what tfjs-node needs of it; `util` is the object that `require('util')` gives. */
export function restoreUtil(
  util = host?.getBuiltinModule?.('node:util') as Record<string, unknown> | undefined,
): void {
  if (!util) return;
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}
