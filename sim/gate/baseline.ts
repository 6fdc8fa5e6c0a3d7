import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { writeWhole } from '../sweep/record-store.ts';

const entry = z.strictObject({
  value: z.number().nullable(),
  relative: z.number().min(0),
  absolute: z.number().min(0),
});

const baselineSchema = z.strictObject({
  schema: z.literal('foresize/baseline/v1'),
  /** Tensor backend by `case/policy`: figures of different ones are not compared. */
  backends: z.record(z.string(), z.string()),
  /** By `case/policy/measure`. */
  measures: z.record(z.string(), entry),
  /** CPU time over that of the reference loop, by `case/policy`. */
  timings: z.record(z.string(), entry),
  /** Why it is as it is, oldest first. */
  history: z.array(z.strictObject({ at: z.string(), version: z.string(), reason: z.string() })),
});

/** What a gate compares with: committed beside the code it guards. */
export type Baseline = z.infer<typeof baselineSchema>;
export type BaselineEntry = z.infer<typeof entry>;

/** `gate.yaml` has `gate.baseline.json` beside it. */
export function baselineFile(spec: string): string {
  return `${spec.replace(/\.ya?ml$/i, '')}.baseline.json`;
}

/** @throws ForesizeError BENCH_NO_BASELINE, BENCH_BASELINE_INVALID */
export function readBaseline(file: string): Baseline {
  if (!existsSync(file)) {
    throw new ForesizeError({
      code: 'BENCH_NO_BASELINE',
      what: 'there is no baseline to compare with',
      where: file,
      remedy: 'make one and commit it: foresize bench update SPEC --reason "first baseline"',
    });
  }
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw invalid(file, (cause as Error).message);
  }
  const parsed = baselineSchema.safeParse(found);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(file, `${issue?.path.map(String).join('.')}: ${issue?.message}`);
}

/** Keys in order, so that a change is a readable diff. */
export function writeBaseline(file: string, { backends, measures, timings, history }: Baseline): void {
  const inOrder = (record: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
  const ordered = {
    schema: 'foresize/baseline/v1',
    backends: inOrder(backends),
    measures: inOrder(measures),
    timings: inOrder(timings),
    history,
  };
  const text = `${JSON.stringify(ordered, null, 2)}\n`;
  writeFile(file, text, 'baseline', 'choose another file with --baseline');
}

/** Writes one of the gate's files whole. @throws ForesizeError BENCH_UNWRITABLE */
export function writeFile(file: string, text: string, name: string, remedy: string): void {
  try {
    writeWhole(file, text);
  } catch (cause) {
    throw new ForesizeError(
      {
        code: 'BENCH_UNWRITABLE',
        what: `the ${name} cannot be written: ${(cause as Error).message}`,
        where: file,
        remedy,
      },
      EXIT.runtime,
      cause,
    );
  }
}

function invalid(file: string, what: string): ForesizeError {
  return new ForesizeError({
    code: 'BENCH_BASELINE_INVALID',
    what: `the baseline is damaged: ${what}`,
    where: file,
    remedy: 'restore it from version control, or make it anew with foresize bench update',
  });
}
