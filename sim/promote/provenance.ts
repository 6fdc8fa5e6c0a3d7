import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type PolicyConfig, policySchema } from '../../core/config.ts';
import { ForesizeError } from '../../core/errors.ts';
import { canonicalJson } from '../canonical-json.ts';
import { SweepFolder } from '../sweep/folder.ts';
import type { TuneResult } from '../tune/tune.ts';
import { distinctWorkloads, type WorkloadIdentity } from '../workload-identity.ts';
import type { LoadedGates } from './gates-spec.ts';

/** What is known of the data a configuration was tuned on. */
export interface Provenance {
  readonly tunedOn: readonly WorkloadIdentity[];
  /** Why it is not known, or undefined when it is. */
  readonly unknown: string | undefined;
  readonly source: string;
}

/**
 * Reads where a configuration comes from: records of tunings and sweeps, hashes, or the statement that nobody tuned.
 * @throws ForesizeError PROMOTE_RECORD_UNREADABLE
 */
export function provenanceOf({ gates, baseDir, file }: LoadedGates, config: PolicyConfig): Provenance {
  const { records, tunedOn, untuned } = gates.tuning;
  if (records.length === 0 && tunedOn.length === 0) {
    return untuned
      ? { tunedOn: [], unknown: undefined, source: 'stated: not tuned' }
      : { tunedOn: [], unknown: 'nothing says what the configuration was tuned on', source: '' };
  }
  const read = records.map((record) => readRecord(resolve(baseDir, record), file));
  const wanted = canonicalJson(config);
  const tunings = read.flatMap(({ tuning }) => tuning ?? []);
  const elsewhere = tunings.length > 0 && tunings.length === read.length && tunedOn.length === 0;
  const holds = tunings.some(({ policies }) =>
    policies.some((entry) => canonicalJson(policySchema.parse(entry.config)) === wanted),
  );
  const whole = (sha256: string): WorkloadIdentity => ({ source: 'trace', sha256, fromMs: 0, toMs: null });
  return {
    tunedOn: distinctWorkloads([...read.flatMap(({ workloads }) => workloads), ...tunedOn.map(whole)]),
    unknown: elsewhere && !holds ? 'the tuning record holds no configuration like this one' : undefined,
    source: [...records, ...(tunedOn.length > 0 ? [`${tunedOn.length} stated`] : [])].join(', '),
  };
}

function readRecord(
  folder: string,
  file: string,
): { workloads: readonly WorkloadIdentity[]; tuning?: TuneResult } {
  const tune = join(folder, 'tune.json');
  if (existsSync(tune)) {
    const tuning = parse(tune, file) as TuneResult;
    if (!Array.isArray(tuning?.trainedOn)) throw unreadable(tune, file, 'it does not say what it trained on');
    return { workloads: tuning.trainedOn, tuning };
  }
  const sweep = SweepFolder.open(folder);
  const workloads = [...sweep.finished].map(
    (id) => sweep.record(id).workload as WorkloadIdentity | undefined,
  );
  if (workloads.includes(undefined))
    throw unreadable(folder, file, 'its records do not name their workloads');
  return { workloads: distinctWorkloads(workloads as WorkloadIdentity[]) };
}

function parse(path: string, file: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw unreadable(path, file, (cause as Error).message);
  }
}

function unreadable(path: string, file: string, why: string): ForesizeError {
  return new ForesizeError({
    code: 'PROMOTE_RECORD_UNREADABLE',
    what: `${path} cannot be taken as a tuning record: ${why}`,
    where: `${file}: tuning.records`,
    remedy: 'tune or sweep again with this version, or state the hashes of the traces under tuning.tunedOn',
  });
}
