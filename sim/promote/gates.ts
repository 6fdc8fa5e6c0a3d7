import type { Estimate, Evidence, GateResult } from '../../core/bundle.ts';
import { overlap } from '../workload-identity.ts';
import type { GatesSpec } from './gates-spec.ts';
import type { Provenance } from './provenance.ts';

/** Judges the evidence by every gate, in a fixed order: none is left out because another has failed. */
export function judgeGates(evidence: Evidence, provenance: Provenance, gates: GatesSpec): GateResult[] {
  return [
    ...violations(evidence, gates),
    cost(evidence, gates),
    atLeast({
      gate: 'vmDays',
      what: 'VM-days scored',
      unit: 'VM-days',
      value: evidence.vmDays,
      limit: gates.vmDays,
    }),
    tuning(evidence, provenance),
    ...coverage(evidence, gates),
    churn(evidence, gates),
  ];
}

interface Held {
  readonly gate: string;
  readonly what: string;
  readonly unit: string;
  readonly value: number | null;
  readonly limit: number;
  readonly note?: string;
}

function atMost(held: Held): GateResult {
  return judged(held, 'at most', held.value === null ? null : held.limit - held.value);
}

function atLeast(held: Held): GateResult {
  return judged(held, 'at least', held.value === null ? null : held.value - held.limit);
}

function judged(held: Held, bound: 'at most' | 'at least', margin: number | null): GateResult {
  const nothing = 'there is no interval: too few VMs and days';
  return {
    note: margin === null ? nothing : '',
    ...held,
    bound,
    margin,
    pass: margin !== null && margin >= 0,
  };
}

function violations({ measures }: Evidence, { violationRate }: GatesSpec): GateResult[] {
  return Object.entries(violationRate).flatMap(([of, limit]) => {
    if (limit === undefined) return [];
    const measure = find(measures, `violationRate.${of}`);
    return atMost({
      gate: `violationRate.${of}`,
      what: `upper bound of the share of time short of ${of === 'any' ? 'anything' : of} (${shown(measure)})`,
      unit: 'share of VM-time',
      value: measure ? measure.high : null,
      limit,
      ...(!measure && { note: 'the run does not manage it' }),
    });
  });
}

function cost({ against, incumbent }: Evidence, { cost: limit }: GatesSpec): GateResult {
  const relative = against.find(({ measure }) => measure === 'costPerVmDay')?.relative;
  return atMost({
    gate: 'cost',
    what: `upper bound of the cost against ${incumbent.policy} (${relative ? figure(relative.value) : 'unknown'})`,
    unit: 'share of its cost',
    value: relative?.high ?? null,
    limit,
    ...(!relative && { note: 'the incumbent costs nothing to compare with' }),
  });
}

function tuning({ workload }: Evidence, { tunedOn, unknown, source }: Provenance): GateResult {
  const common = tunedOn.filter((other) => overlap(other, workload));
  const note =
    unknown ??
    (common.length > 0
      ? `the run's data was tuned on: ${common[0]!.source} ${common[0]!.sha256.slice(0, 12)}`
      : source);
  return {
    gate: 'tuning',
    what: 'workloads of the run that were tuned on',
    unit: 'workloads',
    value: unknown === undefined ? common.length : null,
    limit: 0,
    bound: unknown === undefined ? 'at most' : 'stated',
    margin: unknown === undefined ? 0 - common.length : null,
    pass: unknown === undefined && common.length === 0,
    note,
  };
}

function coverage({ observed }: Evidence, { coverage: { below, above } }: GatesSpec): GateResult[] {
  const found = observed.filter(({ measure }) => measure.startsWith('coverage.'));
  if (found.length === 0) {
    return [
      {
        gate: 'coverage',
        what: 'share of samples under the forecast quantile',
        unit: 'share of forecasts',
        value: null,
        limit: null,
        bound: 'stated',
        margin: null,
        pass: true,
        note: 'the policy acts on no forecast',
      },
    ];
  }
  return found.flatMap((measure) => {
    const nominal = measure.nominal!;
    const held = { gate: measure.measure, unit: measure.unit };
    const named = `the share under the ${figure(nominal)} quantile (${shown(measure)})`;
    const rows = [
      atLeast({ ...held, what: `lower bound of ${named}`, value: measure.low, limit: nominal - below }),
    ];
    // Above 1 there is nothing to be.
    if (nominal + above < 1) {
      rows.push(
        atMost({ ...held, what: `upper bound of ${named}`, value: measure.high, limit: nominal + above }),
      );
    }
    return rows;
  });
}

function churn({ observed }: Evidence, { churn: limit }: GatesSpec): GateResult {
  const measure = find(observed, 'resizesPerVmDay');
  return atMost({
    gate: 'churn',
    what: `upper bound of the resizes (${shown(measure)})`,
    unit: 'resizes/VM-day',
    value: measure?.high ?? null,
    limit,
  });
}

function find(measures: readonly Estimate[], name: string): Estimate | undefined {
  return measures.find(({ measure }) => measure === name);
}

function shown(measure: Estimate | undefined): string {
  return measure && measure.estimate !== null ? figure(measure.estimate) : 'unknown';
}

function figure(x: number): string {
  return String(Number(x.toPrecision(4)));
}
