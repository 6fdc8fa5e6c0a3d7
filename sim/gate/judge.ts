import { ForesizeError } from '../../core/errors.ts';
import type { Baseline, BaselineEntry } from './baseline.ts';
import type { Figures } from './figures.ts';
import { GATED } from './measures.ts';
import type { BenchSpec } from './spec.ts';

/** What became of one figure of the baseline. */
export interface Finding {
  /** `case/policy`. */
  readonly key: string;
  /** A measure of `GATED`, or `time`. */
  readonly measure: string;
  readonly unit: string;
  readonly baseline: number | null;
  readonly current: number | null;
  /** How much worse it may be, in the measure's unit. */
  readonly allowed: number;
  readonly verdict: 'same' | 'better' | 'worse' | 'new' | 'gone';
}

const TIME = { unit: 'times the reference loop', worse: 'higher' } as const;

/** Rounds of timing that must all find a run too slow before it counts as slower. */
const ROUNDS = 4;

/**
 * Compares figures with a baseline. A measure that is worse by more than its tolerance fails the gate, as does one
 * the baseline has and the figures have not. A time that seems worse is measured again, to the same standard: the
 * fastest run counts, and a busy machine is fast in the end.
 * @throws ForesizeError BENCH_BACKEND_DIFFERS
 */
export async function judge(baseline: Baseline, figures: readonly Figures[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const of of figures) {
    const backend = baseline.backends[of.key];
    if (backend !== undefined && backend !== of.backend) {
      throw new ForesizeError({
        code: 'BENCH_BACKEND_DIFFERS',
        what: `the baseline was made with the tensor backend ${backend}, this run with ${of.backend}`,
        where: of.key,
        remedy: 'run the gate with the same backend, or make the baseline anew with it',
      });
    }
    for (const [measure, current] of Object.entries(of.measures)) {
      const key = `${of.key}/${measure}`;
      seen.add(key);
      const { unit, worse } = GATED[measure]!;
      findings.push({ key: of.key, measure, unit, ...compare(baseline.measures[key], current, worse) });
    }
    const entry = baseline.timings[of.key];
    if (of.ratio === undefined) continue;
    seen.add(of.key);
    let compared = compare(entry, of.ratio, TIME.worse);
    for (let round = 1; round < ROUNDS && compared.verdict === 'worse'; round++) {
      compared = compare(entry, (await of.again()) ?? null, TIME.worse);
    }
    findings.push({ key: of.key, measure: 'time', unit: TIME.unit, ...compared });
  }
  return [...findings, ...goneFrom(baseline, seen, figures)];
}

export function failed(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ verdict }) => verdict === 'worse' || verdict === 'gone');
}

/** The baseline that figures make. */
export function toBaseline(
  spec: BenchSpec,
  figures: readonly Figures[],
  history: Baseline['history'],
): Baseline {
  const measures: Record<string, BaselineEntry> = {};
  const timings: Record<string, BaselineEntry> = {};
  for (const { key, measures: values, ratio } of figures) {
    for (const [measure, value] of Object.entries(values)) {
      const { relative, absolute } = spec.tolerances[measure] ?? GATED[measure]!.tolerance;
      measures[`${key}/${measure}`] = { value, relative, absolute };
    }
    if (ratio !== undefined && spec.timing !== false) {
      timings[key] = { value: Number(ratio.toPrecision(4)), relative: spec.timing.tolerance, absolute: 0 };
    }
  }
  const backends = Object.fromEntries(figures.map(({ key, backend }) => [key, backend]));
  return { schema: 'foresize/baseline/v1', backends, measures, timings, history };
}

function compare(
  entry: BaselineEntry | undefined,
  current: number | null,
  worse: 'higher' | 'lower',
): Pick<Finding, 'baseline' | 'current' | 'allowed' | 'verdict'> {
  if (!entry) return { baseline: null, current, allowed: 0, verdict: 'new' };
  const { value, relative, absolute } = entry;
  const allowed = value === null ? 0 : Math.max(Math.abs(value) * relative, absolute);
  const as = (verdict: Finding['verdict']) => ({ baseline: value, current, allowed, verdict });
  if (value === null) return as(current === null ? 'same' : 'new');
  if (current === null) return as('gone');
  const worsening = worse === 'higher' ? current - value : value - current;
  return as(worsening > allowed ? 'worse' : worsening < -allowed ? 'better' : 'same');
}

/** A figure that the baseline has and nobody measured: a case or a policy was taken out. */
function goneFrom(baseline: Baseline, seen: ReadonlySet<string>, figures: readonly Figures[]): Finding[] {
  const gone = (key: string, measure: string, { value }: BaselineEntry): Finding => {
    const unit = GATED[measure]?.unit ?? TIME.unit;
    return { key, measure, unit, baseline: value, current: null, allowed: 0, verdict: 'gone' };
  };
  const untimed = new Set(figures.filter(({ ratio }) => ratio === undefined).map(({ key }) => key));
  return [
    ...Object.entries(baseline.measures)
      .filter(([key, { value }]) => !seen.has(key) && value !== null)
      .map(([key, entry]) => {
        const at = key.lastIndexOf('/');
        return gone(key.slice(0, at), key.slice(at + 1), entry);
      }),
    ...Object.entries(baseline.timings)
      .filter(([key]) => !seen.has(key) && !untimed.has(key))
      .map(([key, entry]) => gone(key, 'time', entry)),
  ];
}
