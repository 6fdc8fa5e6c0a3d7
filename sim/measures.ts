import { R, RESOURCES, type Resource } from '../core/model.ts';
import { type Prices, unitPricesPerSecond } from '../core/prices.ts';
import { DAY_FIELDS, type Score } from '../core/score.ts';
import type { Cost, Measures, ResourceMeasures, VmDays, VmMeasures } from './result.ts';

const FIELDS = DAY_FIELDS.length;
const ROW = FIELDS * R;
const [ALLOCATION, USAGE, STARVED, UNMET, DROPPED, P95, RESIZES, FAILED] = DAY_FIELDS.map((_, i) => i) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
const DAY_S = 86_400;

/** Turns the score's VM-day rows into the measures of any set of VMs. Every figure is a sum over rows. */
export class MeasureBook {
  readonly #score: Score;
  readonly #prices: Prices;
  readonly #unit: readonly number[];
  /** Row numbers by VM number. */
  readonly #rowsOf: number[][];
  readonly #managed: readonly boolean[];

  constructor(score: Score, prices: Prices) {
    this.#score = score;
    this.#prices = prices;
    this.#unit = unitPricesPerSecond(prices);
    this.#rowsOf = score.vms.map(() => []);
    const managed = new Array<boolean>(R).fill(false);
    score.days.forEach(({ vm }, row) => {
      this.#rowsOf[vm]!.push(row);
      for (let r = 0; r < R; r++) if (this.#at(row, r, ALLOCATION) > 0) managed[r] = true;
    });
    this.#managed = managed;
  }

  fleet(): Measures {
    return this.#of(this.#scored());
  }

  /** Measures by application or user id, sorted by id. */
  by(key: 'applicationId' | 'userId'): Record<string, Measures> {
    const groups = new Map<string, number[]>();
    for (const vm of this.#scored()) {
      const id = this.#score.vms[vm]![key];
      const list = groups.get(id);
      if (list) list.push(vm);
      else groups.set(id, [vm]);
    }
    return Object.fromEntries([...groups].sort(byKey).map(([id, vms]) => [id, this.#of(vms)]));
  }

  vms(): Record<string, VmMeasures> {
    const entries = this.#scored().map((vm): [string, VmMeasures] => {
      const { vmId, applicationId, userId } = this.#score.vms[vm]!;
      return [vmId, { applicationId, userId, ...this.#of([vm]) }];
    });
    return Object.fromEntries(entries.sort(byKey));
  }

  /** The rows that paired statistics need, in order of VM number and day. */
  days(): VmDays {
    const scored = this.#scored();
    const out: VmDays = { vmIds: [], vm: [], day: [], seconds: [], cost: [], starved: {}, starvedAny: [] };
    for (let r = 0; r < R; r++) if (this.#managed[r]) out.starved[RESOURCES[r]!] = [];
    scored.forEach((vm, index) => {
      out.vmIds.push(this.#score.vms[vm]!.vmId);
      for (const row of this.#rowsOf[vm]!) {
        const { day, seconds, starvedAny } = this.#score.days[row]!;
        out.vm.push(index);
        out.day.push(day);
        out.seconds.push(seconds);
        out.starvedAny?.push(starvedAny);
        out.cost.push(this.#cost([row]).total);
        for (let r = 0; r < R; r++) out.starved[RESOURCES[r]!]?.push(this.#at(row, r, STARVED));
      }
    });
    return out;
  }

  #scored(): number[] {
    return this.#score.vms.map((_, vm) => vm).filter((vm) => this.#rowsOf[vm]!.length > 0);
  }

  #at(row: number, resource: number, field: number): number {
    return this.#score.rows[row * ROW + resource * FIELDS + field]!;
  }

  #sum(rows: readonly number[], resource: number, field: number): number {
    let sum = 0;
    for (const row of rows) sum += this.#at(row, resource, field);
    return sum;
  }

  #of(vms: readonly number[]): Measures {
    const rows = vms.flatMap((vm) => this.#rowsOf[vm]!);
    let seconds = 0;
    let oomKills = 0;
    for (const row of rows) {
      seconds += this.#score.days[row]!.seconds;
      oomKills += this.#score.days[row]!.oomKills;
    }
    const vmDays = seconds / DAY_S;
    const resources: Partial<Record<Resource, ResourceMeasures>> = {};
    for (let r = 0; r < R; r++) {
      if (this.#managed[r]) resources[RESOURCES[r]!] = this.#resource(vms, rows, r, seconds);
    }
    const cpuWork = this.#sum(rows, 0, USAGE);
    return {
      vms: vms.length,
      vmDays,
      resources,
      oomKills,
      oomKillsPerVmDay: oomKills / vmDays,
      slowdown: {
        p99: this.#score.stretch.quantile(vms, cpuWork, 0.99),
        worst: this.#score.stretch.worst(vms),
      },
      cost: this.#cost(rows),
    };
  }

  #resource(vms: readonly number[], rows: readonly number[], r: number, seconds: number): ResourceMeasures {
    const vmDays = seconds / DAY_S;
    let slack = 0;
    let slackRows = 0;
    for (const row of rows) {
      const allocation = this.#at(row, r, ALLOCATION) / this.#score.days[row]!.seconds;
      if (allocation <= 0) continue;
      slack += (allocation - this.#at(row, r, P95)) / allocation;
      slackRows++;
    }
    let episodes = 0;
    let starvedS = 0;
    let worst = 0;
    for (const vm of vms) {
      const e = (vm * R + r) * 3;
      episodes += this.#score.episodes[e]!;
      starvedS += this.#score.episodes[e + 1]!;
      worst = Math.max(worst, this.#score.episodes[e + 2]!);
    }
    return {
      violationRate: this.#sum(rows, r, STARVED) / seconds,
      unmet: this.#sum(rows, r, UNMET),
      dropped: this.#sum(rows, r, DROPPED),
      slack: slackRows === 0 ? 0 : slack / slackRows,
      footprint: this.#sum(rows, r, ALLOCATION) / seconds,
      usage: this.#sum(rows, r, USAGE) / seconds,
      resizesPerVmDay: this.#sum(rows, r, RESIZES) / vmDays,
      failedResizes: this.#sum(rows, r, FAILED),
      recovery: { mean: episodes === 0 ? 0 : starvedS / episodes, worst, episodes },
    };
  }

  #cost(rows: readonly number[]): Cost {
    let allocation = 0;
    let resizes = 0;
    let starved = 0;
    const { charged } = this.#score;
    if (charged) for (const row of rows) allocation += charged[row]!;
    for (let r = 0; r < R; r++) {
      if (!charged) allocation += this.#sum(rows, r, ALLOCATION) * this.#unit[r]!;
      resizes += this.#sum(rows, r, RESIZES);
      starved += this.#sum(rows, r, STARVED);
    }
    const resize = resizes * this.#prices.resize;
    const penalty = (starved / 3600) * this.#prices.violationHour;
    return { allocation, resize, penalty, total: allocation + resize + penalty };
  }
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
