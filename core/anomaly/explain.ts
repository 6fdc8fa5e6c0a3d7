import { R, RESOURCES, type Resource, UNITS } from '../model.ts';
import { type Surprise, V, VIEWS } from './surprise.ts';

const NAMES: Readonly<Record<Resource, string>> = {
  cpu: 'CPU',
  memory: 'memory',
  diskIo: 'disk I/O',
  network: 'network',
};

/** Usage below this share of its median is called 0. */
const NOTHING = 1e-3;

/** The words of an event, taken when it was at its worst. */
export interface Account {
  /** What it did: "network 14 x its 99 % quantile". */
  readonly what: string;
  /** Whether `what` is outside the band, so that its duration is worth telling. */
  readonly lasting: boolean;
  /** How the VM's other resources were: "; CPU and memory normal". */
  readonly others: string;
}

/** One sentence: "network 14 x its 99 % quantile for 3 ticks; CPU and memory normal". */
export function sentence(account: Account, outside: number): string {
  const duration = account.lasting ? ` for ${outside === 1 ? '1 tick' : `${outside} ticks`}` : '';
  return `${account.what}${duration}${account.others}`;
}

/**
 * Account of one resource in this tick, in multiples of its predicted quantiles, or in what else stands out.
 * @param usage of the tick, slot x R
 */
export function accountResource(
  surprise: Surprise,
  usage: Float64Array,
  slot: number,
  resource: number,
): Account {
  const row = slot * R + resource;
  const name = NAMES[RESOURCES[resource]!];
  const quantile = quantileOf(surprise, usage[row]!, row);
  return {
    what: quantile ? `${name} ${quantile}` : viewOf(surprise, usage[row]!, row, name),
    lasting: quantile !== undefined,
    others: others(surprise, usage, slot, resource),
  };
}

/** Account of what the resources show together: those outside their band, or else how far each is on its way there. */
export function accountJoint(surprise: Surprise, usage: Float64Array, slot: number): Account {
  const outside: string[] = [];
  const all: string[] = [];
  for (let r = 0; r < R; r++) {
    const row = slot * R + r;
    if (!Number.isFinite(usage[row]!) || surprise.seen[row] === 0) continue;
    const name = NAMES[RESOURCES[r]!];
    const quantile = quantileOf(surprise, usage[row]!, row);
    if (quantile) outside.push(`${name} ${quantile}`);
    const excess = surprise.excess[row]!;
    all.push(`${name} ${excess > 0 ? '+' : ''}${excess.toFixed(1)}`);
  }
  const what =
    outside.length > 0
      ? `resources together: ${outside.join(', ')}`
      : `resources do not move together as usual: ${all.join(', ')} of the way to their 99 % or 1 % quantile`;
  return { what, lasting: false, others: '' };
}

/** "1.4 x its 99 % quantile", or undefined while inside the band. */
function quantileOf(surprise: Surprise, value: number, row: number): string | undefined {
  const excess = surprise.excess[row]!;
  if (excess > 1) {
    const upper = surprise.upper[row]!;
    return upper > 0 ? `${times(value / upper)} x its 99 % quantile` : 'above its 99 % quantile';
  }
  if (excess < -1) {
    if (Math.abs(value) <= NOTHING * surprise.median[row]!) return 'at 0';
    const lower = surprise.lower[row]!;
    return lower > 0 ? `${times(value / lower)} x its 1 % quantile` : 'below its 1 % quantile';
  }
  return undefined;
}

/** What stands out in a value inside its band: the view that surprised most. */
function viewOf(surprise: Surprise, value: number, row: number, name: string): string {
  let most = 0;
  for (let v = 1; v < V; v++) if (surprise.parts[row * V + v]! > surprise.parts[row * V + most]!) most = v;
  const unit = UNITS[RESOURCES[row % R]!];
  switch (VIEWS[most]!) {
    case 'level':
      return `level of ${name} moved from ${round(surprise.level.former(row))} to ${round(surprise.level.recent(row))} ${unit}`;
    case 'step':
      return `${name} jumped to ${round(value)} ${unit}`;
    case 'roughness':
      return `${name} moves less or more than it used to`;
    case 'value':
      return `${name} at ${round(value)} ${unit}, which it never was`;
    default:
      return `${name} at ${round(value)} ${unit} for ${round(surprise.median[row]!)} expected`;
  }
}

function others(surprise: Surprise, usage: Float64Array, slot: number, resource: number): string {
  const off: string[] = [];
  const normal: string[] = [];
  for (let r = 0; r < R; r++) {
    const row = slot * R + r;
    if (r === resource || !Number.isFinite(usage[row]!) || surprise.seen[row] === 0) continue;
    const name = NAMES[RESOURCES[r]!];
    const quantile = quantileOf(surprise, usage[row]!, row);
    if (quantile) off.push(`${name} ${quantile}`);
    else normal.push(name);
  }
  if (normal.length > 0) off.push(`${list(normal)} normal`);
  return off.length > 0 ? `; ${off.join('; ')}` : '';
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Two significant digits, as one writes a ratio, but never a plain 1. */
function times(ratio: number): string {
  return Number(ratio.toPrecision(Math.abs(ratio - 1) < 0.05 ? 3 : 2)).toString();
}

function round(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
