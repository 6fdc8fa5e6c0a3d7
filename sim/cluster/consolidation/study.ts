import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { CPU, R } from '../../../core/model.ts';
import { parseAs, readScenario } from '../../scenario.ts';
import { loadTrace } from '../../trace/load.ts';
import type { Trace } from '../../trace/types.ts';
import { locate } from '../../workload/open.ts';
import type { OverloadRule } from '../overload.ts';
import { powerTable, wattsOf } from '../power-model.ts';
import { type ConsolidationResult, consolidate } from './run.ts';
import type { ServerColumns, VmColumns } from './state.ts';

const positive = z.number().gt(0);

const rule = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('thr'),
    threshold: z.number().gt(0).max(1).default(0.8).describe('Load above which a host is overloaded.'),
  }),
  z.strictObject({
    kind: z.enum(['iqr', 'mad', 'lr']),
    safety: positive.describe('Times the spread of the load (iqr, mad), or the load foreseen (lr).'),
  }),
]);

/** A study of dynamic consolidation: hosts, kinds of VMs, one trace of CPU loads, and policies to compare. */
export const studySchema = z.strictObject({
  apiVersion: z.literal('foresize/consolidation/v1'),
  name: z.string().min(1),
  description: z.string().default(''),
  trace: z.string().describe("Trace of the VMs' CPU load, relative to this file, or traces:NAME."),
  hosts: z
    .array(
      z.strictObject({
        count: z.int().positive(),
        cores: z.int().positive(),
        coreMips: positive,
        memoryMiB: positive,
        networkMbit: positive,
        power: powerTable,
      }),
    )
    .min(1)
    .describe('Kinds of hosts; they are numbered in turn, one of each kind.'),
  vms: z
    .array(z.strictObject({ mips: positive, memoryMiB: positive, networkMbit: positive }))
    .min(1)
    .describe(
      "Kinds of VMs; the trace's VMs are dealt to them in blocks of equal size, in order of their names.",
    ),
  policies: z.record(z.string().min(1), rule),
});

export type Study = z.infer<typeof studySchema>;

/** @throws ForesizeError when the file or what it names cannot be read, or a VM fits nowhere */
export async function runStudy(
  file: string,
  sets: readonly string[] = [],
): Promise<{ study: Study; results: Record<string, ConsolidationResult> }> {
  const study = parseAs(studySchema, readScenario(file), file, sets);
  const trace = await loadTrace({ path: locate(study.trace, { baseDir: dirname(resolve(file)) }) });
  const results = Object.entries(study.policies).map(([name, policy]): [string, ConsolidationResult] => [
    name,
    runPolicy(study, trace, policy),
  ]);
  return { study, results: Object.fromEntries(results) };
}

export function runPolicy(study: Study, trace: Trace, policy: OverloadRule): ConsolidationResult {
  const vms = vmColumns(study, trace);
  const stepS = trace.stepMs / 1000;
  return consolidate({
    servers: serverColumns(study),
    vms,
    rule: policy,
    stepS,
    durationS: (vms.samples - 1) * stepS,
  });
}

export function serverColumns({ hosts }: Pick<Study, 'hosts'>): ServerColumns {
  const kinds: Study['hosts'] = [];
  const most = Math.max(...hosts.map(({ count }) => count));
  for (let i = 0; i < most; i++) kinds.push(...hosts.filter(({ count }) => i < count));
  const column = (of: (host: Study['hosts'][number]) => number) => Float64Array.from(kinds, of);
  return {
    count: kinds.length,
    coreMips: column(({ coreMips }) => coreMips),
    mips: column(({ cores, coreMips }) => cores * coreMips),
    memory: column(({ memoryMiB }) => memoryMiB),
    network: column(({ networkMbit }) => networkMbit),
    watts: kinds.map(({ power }) => wattsOf(power)),
  };
}

/** Loads as shares of the VM's size, with one more sample than the trace has: the last value holds to the end. */
function vmColumns({ vms: kinds }: Study, trace: Trace): VmColumns {
  const count = trace.vms.length;
  const samples = 1 + Math.max(...trace.vms.map(({ start, usage }) => start + usage.length / R));
  const load = new Float64Array(count * samples);
  trace.vms.forEach(({ start, usage, size }, vm) => {
    let held = 0;
    for (let t = start; t < samples; t++) {
      const value = usage[(t - start) * R + CPU] ?? Number.NaN;
      // Traces are 32-bit floats; six digits give back the decimal that was written.
      if (!Number.isNaN(value)) held = Math.round((value / size[CPU]) * 1e6) / 1e6;
      load[vm * samples + t] = held;
    }
  });
  const block = Math.ceil(count / kinds.length);
  const column = (of: (kind: Study['vms'][number]) => number) =>
    Float64Array.from({ length: count }, (_, vm) => of(kinds[Math.floor(vm / block)]!));
  return {
    count,
    mips: column(({ mips }) => mips),
    memory: column(({ memoryMiB }) => memoryMiB),
    network: column(({ networkMbit }) => networkMbit),
    samples,
    load,
  };
}
