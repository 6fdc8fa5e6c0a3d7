import { basename, join, resolve } from 'node:path';
import { R } from '../../core/model.ts';
import { TraceBuilder } from './builder.ts';
import { detect } from './detect.ts';
import { identity, list, stat } from './files.ts';
import { badOption, noStatistic, tooShort, unreadable } from './problems.ts';
import { keepsSpans, type TraceReader } from './reader.ts';
import { readerOf } from './readers.ts';
import type { LoadOptions, Trace, TraceVm } from './types.ts';

const DEFAULT_STEP = 300_000;
/** A year: no interval is longer. */
const MAX_STEP = 366 * 86_400_000;

/**
 * Reads a trace and resamples it to the tick:
 *
 *     path -> detect -> reader -> VmSamples per VM -> resample -> window -> Trace
 *
 * Files are streamed and read in sorted order; what was out of order, double, invalid or missing is counted in
 * `report`. The rule of resampling is in `resample.ts`, formats and assumptions in docs/traces.md.
 *
 * @throws ForesizeError with exit code 2 on anything wrong with the input; the signal's reason when aborted
 */
export async function loadTrace(options: LoadOptions): Promise<Trace> {
  const stepMs = options.stepMs ?? DEFAULT_STEP;
  check(options, stepMs);
  const { path, signal } = options;
  const kind = stat(path);
  if (!kind.isFile() && !kind.isDirectory())
    throw unreadable(path, 'it is neither a plain file nor a folder');
  const reader = readerOf(options.format ?? detect(path));
  const statistic = options.statistic ?? 'avg';
  if (statistic === 'max' && !reader.hasMax) throw noStatistic(reader.format);

  const builder = new TraceBuilder({
    name: basename(resolve(path)),
    path,
    format: reader.format,
    stepMs,
    has: reader.has,
    spans: keepsSpans(reader, stepMs),
    statistic,
    assume: assumptions(reader, options),
    limit: options.limit ?? Number.POSITIVE_INFINITY,
    vms: options.vms,
  });
  const total = options.onProgress ? sizeOf(path) : 0;
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    options.onProgress?.(done, Math.max(done, total));
  };
  const reading = { hashes: new Map<string, string>(), onBytes, signal };
  await reader.read({ path, builder, reading, stepMs, statistic });
  signal?.throwIfAborted();
  const trace = builder.finish(reading.hashes, identity(reading.hashes));
  return options.from === undefined && options.to === undefined
    ? trace
    : windowOf(trace, options.from ?? 0, options.to ?? intervalsOf(trace));
}

/** Number of intervals from the trace's epoch to the end of its last VM. */
export function intervalsOf(trace: Trace): number {
  let end = 0;
  for (const vm of trace.vms) end = Math.max(end, vm.start + vm.usage.length / R);
  return end;
}

/**
 * Insists that a trace is as long as a run's horizon.
 *
 * @throws ForesizeError TRACE_TOO_SHORT
 */
export function requireHorizon(trace: Trace, intervals: number): void {
  const has = intervalsOf(trace);
  if (has < intervals) throw tooShort(trace.name, has, intervals);
}

/** Intervals [from, to) of a trace, as a trace of its own; VMs that have no value there are left out. */
export function windowOf(trace: Trace, from: number, to: number): Trace {
  requireHorizon(trace, to);
  const vms: TraceVm[] = [];
  let gaps = 0;
  for (const vm of trace.vms) {
    const { usage, start } = vm;
    let first = Math.max(from - start, 0);
    let last = Math.min(to - start, usage.length / R) - 1;
    while (first <= last && isGap(usage, first)) first++;
    while (last >= first && isGap(usage, last)) last--;
    if (first > last) continue;
    for (let k = first; k <= last; k++) if (isGap(usage, k)) gaps++;
    vms.push({ ...vm, start: start + first - from, usage: usage.slice(first * R, (last + 1) * R) });
  }
  if (vms.length === 0)
    throw badOption(`no VM has a value in intervals ${from} to ${to}`, 'choose another window');
  return { ...trace, epochMs: trace.epochMs + from * trace.stepMs, vms, report: { ...trace.report, gaps } };
}

function isGap(usage: Float32Array, k: number): boolean {
  for (let r = 0; r < R; r++) if (!Number.isNaN(usage[k * R + r]!)) return false;
  return true;
}

function check(options: LoadOptions, stepMs: number): void {
  const whole = (value: number | undefined, least: number) =>
    value === undefined || (Number.isInteger(value) && value >= least);
  if (!whole(stepMs, 1) || stepMs > MAX_STEP)
    throw badOption(`the step is ${stepMs} ms`, 'give a whole number of ms, 300000 for 5 minutes');
  if (!whole(options.limit, 1))
    throw badOption(`the limit is ${options.limit}`, 'give a whole number of VMs, 1 or more');
  const { from, to } = options;
  if (!whole(from, 0) || !whole(to, 1) || (from ?? 0) >= (to ?? Number.POSITIVE_INFINITY)) {
    throw badOption(
      `the window is from ${from ?? 0} to ${to ?? 'the end'}`,
      'give whole numbers of intervals, from < to',
    );
  }
}

function assumptions(reader: TraceReader, options: LoadOptions): TraceReader['assume'] {
  const assume = { ...reader.assume };
  for (const [key, value] of Object.entries(options.assume ?? {})) {
    if (value === undefined) continue;
    if (!(value > 0 && Number.isFinite(value)))
      throw badOption(`assumed ${key} is ${value}`, 'give a number above 0');
    assume[key as keyof typeof assume] = value;
  }
  return assume;
}

/** Bytes below a path, one folder deep and two for the Azure layout: what progress is measured against. */
function sizeOf(path: string, depth = 2): number {
  const found = stat(path);
  if (!found.isDirectory()) return found.size;
  if (depth === 0) return 0;
  return list(path).reduce((sum, { name }) => sum + sizeOf(join(path, name), depth - 1), 0);
}
