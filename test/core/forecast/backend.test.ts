import { describe, expect, test } from 'vitest';
import {
  backendReport,
  chooseBackend,
  type Loader,
  loadBackend,
  restoreUtil,
  type Tf,
} from '../../../core/forecast/backend.ts';

const before = [process.listeners('uncaughtException'), process.listeners('unhandledRejection')];
const { tf, name } = await loadBackend();

const absent = () =>
  Promise.reject(Object.assign(new Error("Cannot find package 'x'"), { code: 'ERR_MODULE_NOT_FOUND' }));
const wasm = () => Promise.resolve(tf);

describe('loadBackend', () => {
  test('takes tfjs-node where it loads and wasm elsewhere, and the report says why', async () => {
    const report = await backendReport();
    expect(report.backend).toBe(name);
    expect(report.version).toMatch(/^4\./);
    if (name === 'wasm') {
      expect(report.reasons).toHaveLength(2);
      expect(report.reasons[0]).toMatch(/^tensorflow: (not installed|does not load) \(/);
      expect(report.reasons[1]).toMatch(/^wasm: loaded, tfjs-core 4\./);
    } else {
      expect(report.reasons).toEqual([expect.stringMatching(/^tensorflow: loaded, tfjs-core 4\./)]);
    }
    expect(tf.getBackend()).toBe(name);
  });

  test("leaves the process's last-resort handlers as they were", () => {
    expect([process.listeners('uncaughtException'), process.listeners('unhandledRejection')]).toEqual(before);
  });
});

describe('chooseBackend', () => {
  const reasons = async (loader: Loader) => (await chooseBackend(loader)).report;

  test('goes on to wasm when the native package is absent', async () => {
    const report = await reasons({ native: absent, wasm });
    expect(report.backend).toBe('wasm');
    expect(report.reasons[0]).toBe("tensorflow: not installed (Cannot find package 'x')");
  });

  test('goes on when the native package throws while loading, and keeps the first line of why', async () => {
    const native = () => Promise.reject(new Error('libtensorflow.so.2: cannot open\nat somewhere'));
    const report = await reasons({ native, wasm });
    expect(report.reasons[0]).toBe('tensorflow: does not load (libtensorflow.so.2: cannot open)');
    expect(report.backend).toBe('wasm');
  });

  test('goes on when the native package loads but has no backend that starts', async () => {
    // The real TensorFlow.js, in which no backend of the name `tensorflow` is registered.
    const report = await reasons({ native: () => Promise.resolve({ default: tf as Tf }), wasm });
    expect(report.reasons[0]).toMatch(/^tensorflow: does not load \(/);
    expect(report.backend).toBe('wasm');
    await tf.setBackend(name);
  });

  test('reports both reasons when neither loads', async () => {
    const { backend, report } = await chooseBackend({ native: absent, wasm: absent });
    expect(backend).toBeUndefined();
    expect(report).toEqual({
      backend: undefined,
      version: undefined,
      reasons: [
        "tensorflow: not installed (Cannot find package 'x')",
        "wasm: not installed (Cannot find package 'x')",
      ],
    });
  });
});

describe('restoreUtil', () => {
  test('puts back what Node 23 removed', () => {
    const util: Record<string, unknown> = {};
    restoreUtil(util);
    const { isNullOrUndefined, isArray } = util as Record<string, (value: unknown) => boolean>;
    expect([null, undefined, 0, ''].map((value) => isNullOrUndefined!(value))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect([isArray!([]), isArray!({})]).toEqual([true, false]);
  });

  test('leaves what is there', () => {
    const own = () => true;
    const util: Record<string, unknown> = { isArray: own };
    restoreUtil(util);
    expect(util['isArray']).toBe(own);
  });

  test("works on Node's own util, on every version", async () => {
    restoreUtil();
    const { createRequire } = await import('node:module');
    const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
    expect(typeof util['isNullOrUndefined']).toBe('function');
    expect(typeof util['isArray']).toBe('function');
  });
});
