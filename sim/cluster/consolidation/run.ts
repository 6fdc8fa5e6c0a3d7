import { ForesizeError } from '../../../core/errors.ts';
import type { OverloadRule } from '../overload.ts';
import { energyBetween, JOULES_PER_KWH, powerAt } from '../power.ts';
import { Consolidator, copySeconds, type Move } from './consolidator.ts';
import { Shares } from './shares.ts';
import { LoadHistory, Placement, type ServerColumns, type VmColumns } from './state.ts';

/** Ticks fall this long after the samples: VMs start when they have been created, which takes a moment. */
const START_S = 0.1;

export interface ConsolidationSetup {
  readonly servers: ServerColumns;
  readonly vms: VmColumns;
  readonly rule: OverloadRule;
  /** Distance of samples and of ticks, s. */
  readonly stepS: number;
  readonly durationS: number;
}

/** The measures of Beloglazov and Buyya (CCPE 2012, section 5). */
export interface ConsolidationResult {
  readonly energyKwh: number;
  readonly migrations: number;
  /** Share of active host time with less CPU than wanted. */
  readonly slatah: number;
  /** Share of the CPU wanted that was lost to migrations. */
  readonly pdm: number;
  /** SLATAH x PDM. */
  readonly slav: number;
  /** Share of the CPU wanted that was not given, for whatever reason. */
  readonly overall: number;
  readonly hostShutdowns: number;
}

/** @throws ForesizeError CONSOLIDATION_NO_HOST when a VM fits nowhere at the start */
export function consolidate(setup: ConsolidationSetup): ConsolidationResult {
  return new Consolidation(setup).run();
}

class Consolidation {
  readonly #setup: ConsolidationSetup;
  readonly #placement: Placement;
  readonly #history: LoadHistory;
  readonly #load: Float64Array;
  readonly #wanted: Float64Array;
  readonly #migrating: Uint8Array;
  readonly #arriving = new Map<number, number[]>();
  readonly #shares: Shares;
  #time = 0;
  #joules = 0;
  #migrations = 0;
  #activeS = 0;
  #violatedS = 0;
  #wantedWork = 0;
  #givenWork = 0;
  #lostToMigration = 0;
  #shutdowns = 0;
  readonly #before: Float64Array;
  /** False until the first tick: what the VMs did before it is not known. */
  #started = false;

  constructor(setup: ConsolidationSetup) {
    const { servers, vms } = setup;
    this.#setup = setup;
    this.#placement = new Placement(servers.count, vms.count);
    this.#history = new LoadHistory(vms.count);
    this.#load = new Float64Array(vms.count);
    this.#wanted = new Float64Array(vms.count);
    this.#migrating = new Uint8Array(vms.count);
    this.#shares = new Shares(servers, this.#placement, this.#wanted, this.#migrating, this.#arriving);
    this.#before = new Float64Array(servers.count);
  }

  run(): ConsolidationResult {
    const { servers, vms, rule, stepS, durationS } = this.#setup;
    this.#create();
    const consolidator = new Consolidator(servers, vms, rule, this.#history, this.#wanted, stepS);
    for (let at = START_S + stepS; at <= durationS; at += stepS) {
      this.#advance(at, (at - START_S) % stepS === 0);
      const moves = consolidator.plan(this.#placement, this.#shares.utilization);
      this.#start(moves);
      this.#finish(moves, at);
    }
    return {
      energyKwh: this.#joules / JOULES_PER_KWH,
      migrations: this.#migrations,
      slatah: this.#violatedS / this.#activeS,
      pdm: this.#lostToMigration / this.#wantedWork,
      slav: (this.#violatedS / this.#activeS) * (this.#lostToMigration / this.#wantedWork),
      overall: (this.#wantedWork - this.#givenWork) / this.#wantedWork,
      hostShutdowns: this.#shutdowns,
    };
  }

  /** Places every VM at its full size where power rises least. */
  #create(): void {
    const { servers, vms } = this.#setup;
    const mips = Float64Array.from(servers.mips);
    const memory = Float64Array.from(servers.memory);
    const network = Float64Array.from(servers.network);
    for (let vm = 0; vm < vms.count; vm++) {
      const size = vms.mips[vm]!;
      let best = -1;
      let least = Number.POSITIVE_INFINITY;
      for (let h = 0; h < servers.count; h++) {
        if (servers.coreMips[h]! < size || mips[h]! < size) continue;
        if (memory[h]! < vms.memory[vm]! || network[h]! < vms.network[vm]!) continue;
        const used = servers.mips[h]! - mips[h]! + size;
        const watts = servers.watts[h]!;
        const rise = powerAt(watts, used / servers.mips[h]!) - watts[0]!;
        if (rise >= least) continue;
        least = rise;
        best = h;
      }
      if (best < 0) throw noHost(vm, size, vms.memory[vm]!);
      this.#placement.add(vm, best);
      mips[best] = mips[best]! - size;
      memory[best] = memory[best]! - vms.memory[vm]!;
      network[best] = network[best]! - vms.network[vm]!;
    }
  }

  /** Moves time on to `at`: accounts for what went before, and shares out anew. */
  #advance(at: number, record: boolean): void {
    const { servers, vms } = this.#setup;
    const seconds = at - this.#time;
    const shares = this.#shares;
    const placement = this.#placement;
    if (this.#started) {
      for (let vm = 0; vm < vms.count; vm++) {
        if (placement.host[vm]! < 0) continue;
        const wanted = this.#wanted[vm]!;
        const granted = shares.granted[vm]!;
        this.#wantedWork += wanted * seconds;
        this.#givenWork += granted * seconds;
        if (granted < wanted && this.#migrating[vm] === 1)
          this.#lostToMigration += (wanted - granted) * seconds;
      }
      for (let h = 0; h < servers.count; h++) {
        if (shares.used[h]! <= 0) continue;
        this.#activeS += seconds;
        if (shares.used[h]! < shares.wantedOn[h]!) this.#violatedS += seconds;
      }
    }
    this.#before.set(shares.utilization);
    this.#demand(at);
    if (record) this.#history.push(this.#load);
    for (let h = 0; h < servers.count; h++) {
      shares.share(h);
      this.#joules += energyBetween(servers.watts[h]!, this.#before[h]!, shares.utilization[h]!, seconds);
      if ((!this.#started || this.#before[h]! > 0) && shares.utilization[h] === 0) this.#shutdowns++;
    }
    this.#time = at;
    this.#started = true;
    this.#retire();
  }

  #demand(at: number): void {
    const { vms, stepS } = this.#setup;
    const k = Math.floor(at / stepS);
    const past = at - k * stepS;
    for (let vm = 0; vm < vms.count; vm++) {
      const i = vm * vms.samples + Math.min(k, vms.samples - 1);
      const from = vms.load[i]!;
      const to = k + 1 < vms.samples ? vms.load[i + 1]! : from;
      const load = past === 0 ? from : from + ((to - from) / stepS) * past;
      this.#load[vm] = load;
      this.#wanted[vm] = load * vms.mips[vm]!;
    }
  }

  /** A VM that wants nothing when hosts are shared out has ended. */
  #retire(): void {
    for (let vm = 0; vm < this.#wanted.length; vm++) {
      if (this.#wanted[vm] === 0 && this.#placement.host[vm]! >= 0 && this.#migrating[vm] === 0)
        this.#placement.remove(vm);
    }
  }

  #start(moves: readonly Move[]): void {
    for (const { vm, host } of moves) {
      this.#migrating[vm] = 1;
      const list = this.#arriving.get(host);
      if (list) list.push(vm);
      else this.#arriving.set(host, [vm]);
      this.#migrations++;
    }
    for (const { vm, host } of moves) {
      this.#shares.share(host);
      this.#shares.share(this.#placement.host[vm]!);
    }
  }

  #finish(moves: readonly Move[], from: number): void {
    const { servers, vms } = this.#setup;
    const seconds = ({ vm, host }: Move) => copySeconds(vms.memory[vm]!, servers.network[host]!);
    const due = [...new Set(moves.map(seconds))].sort((a, b) => a - b);
    for (const delay of due) {
      this.#advance(from + delay, false);
      for (const move of moves) {
        if (seconds(move) !== delay) continue;
        this.#placement.move(move.vm, move.host);
        this.#migrating[move.vm] = 0;
        const list = this.#arriving.get(move.host)!;
        list.splice(list.indexOf(move.vm), 1);
      }
      this.#advance(from + delay, false);
    }
    this.#arriving.clear();
  }
}

function noHost(vm: number, mips: number, memory: number): ForesizeError {
  return new ForesizeError({
    code: 'CONSOLIDATION_NO_HOST',
    what: `VM ${vm} (${mips} MIPS, ${memory} MiB) fits on no host that still has room`,
    where: 'hosts',
    remedy: 'add hosts, or hosts with faster cores or more memory',
  });
}
