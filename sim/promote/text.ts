import type { GateResult } from '../../core/bundle.ts';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { textTable } from '../sweep/text.ts';
import type { Promotion } from './promote.ts';

/** Every gate as a row, for a terminal. */
export function promotionText({ gates, evidence, bundle }: Promotion): string {
  const { run, incumbent, scenario, vms, vmDays, level } = evidence;
  const table = textTable(
    ['gate', 'value', 'limit', 'margin', '', 'what'],
    gates.map((gate) => [
      gate.gate,
      figure(gate.value),
      limitText(gate),
      figure(gate.margin),
      gate.pass ? 'pass' : 'FAIL',
      [gate.what, gate.note].filter((text) => text !== '').join('; '),
    ]),
  );
  const failed = gates.filter(({ pass }) => !pass).length;
  const end = bundle
    ? `Bundle ${bundle.id.slice(0, 16)}: ${bundle.folder}`
    : `Refused by ${failed} of ${gates.length} gates; no bundle was written.`;
  return `${scenario}: ${run.policy} (${run.id}) against ${incumbent.policy} (${incumbent.id})
${vms} VMs, ${figure(vmDays)} VM-days; intervals at ${figure(level * 100)} %, bootstrap clustered by VM

${table}
${end}
`;
}

/** The refusal as an error: each gate that failed, and by how much; exit code 4. */
export function refusal(gates: readonly GateResult[]): ForesizeError {
  return new ForesizeError(
    gates
      .filter(({ pass }) => !pass)
      .map((gate) => ({
        code: 'PROMOTE_REFUSED',
        what: sentence(gate),
        where: `gate ${gate.gate}`,
        remedy: REMEDIES[gate.gate.split('.')[0]!],
      })),
    EXIT.refused,
  );
}

const REMEDIES: Readonly<Record<string, string>> = {
  violationRate: 'provide for a higher quantile or add a margin, and run again',
  cost: 'provide for less, or state with `cost` how much dearer is acceptable',
  vmDays: 'run a longer trace, or one with more VMs',
  tuning:
    'run on data that was not tuned on; say where the configuration comes from with `tuning`, or state untuned: true',
  coverage: 'the forecast is not calibrated on this data: more warm-up, or another model',
  churn: 'widen downBand, or lengthen the cooldown of the guards',
};

function sentence({ what, value, limit, bound, margin, unit, note }: GateResult): string {
  if (value === null || limit === null || margin === null) return `${what}: ${note}`;
  const more = note === '' ? '' : `; ${note}`;
  return `${what}: ${figure(value)} is not ${bound} ${figure(limit)}, by ${figure(Math.abs(margin))} ${unit}${more}`;
}

function limitText({ limit, bound }: GateResult): string {
  return limit === null || bound === 'stated' ? 'stated' : `${bound} ${figure(limit)}`;
}

function figure(x: number | null): string {
  return x === null ? '-' : String(Number(x.toPrecision(4)));
}
