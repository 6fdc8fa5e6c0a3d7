import { parseDuration } from '../../../core/duration.ts';
import { ForesizeError } from '../../../core/errors.ts';
import { RESOURCES, type ResourceVector, type VmSpec } from '../../../core/model.ts';
import { hashString, mix, uniformAt } from '../../../core/rng.ts';
import type { Arrival, InjectedAnomaly } from '../types.ts';
import { ANOMALY_SHAPES, type AnomalyShape } from './kinds.ts';
import type { AnomalyConfig } from './schema.ts';

/** One anomaly of one VM, with how it changes demand. */
export interface Planned extends InjectedAnomaly {
  readonly vm: number;
  readonly shape: AnomalyShape;
  readonly size: number;
  readonly requested: ResourceVector;
}

interface Entry {
  readonly config: AnomalyConfig;
  readonly shape: AnomalyShape;
  /** In intervals. */
  readonly from: number;
  readonly within: number;
  readonly lasts: number;
}

/** A VM has a day of peace between two anomalies, or their effects could not be told apart. */
const PEACE_MS = 86_400_000;

/**
 * Decides which VMs meet which anomaly, and when. That depends on (seed, entry, VM id) and the VM's times alone: every
 * stream of the workload, and so every policy, meets the same.
 */
export class AnomalyPlan {
  readonly #entries: readonly Entry[];
  readonly #seed: number;
  readonly #intervals: number;
  readonly #peace: number;

  /** @throws ForesizeError ANOMALY_AFTER_END */
  constructor(
    configs: readonly AnomalyConfig[],
    { seed, stepMs, intervals }: { seed: number; stepMs: number; intervals: number },
  ) {
    const ticks = (text: string) => parseDuration(text) / stepMs;
    this.#seed = mix(seed ^ hashString('anomalies'));
    this.#intervals = intervals;
    this.#peace = Math.ceil(PEACE_MS / stepMs);
    this.#entries = configs.map((config, i) => {
      const shape = ANOMALY_SHAPES[config.kind];
      const from = Math.round(ticks(config.from));
      const within = Math.max(1, Math.round(ticks(config.within)));
      if (from + within > intervals) throw afterEnd(`workload.anomalies.${i}.from`, from + within, intervals);
      return {
        config,
        shape,
        from,
        within,
        lasts: Math.max(1, Math.round(ticks(config.lasts ?? shape.lasts))),
      };
    });
  }

  /**
   * The anomalies of VMs that arrive at interval t.
   * @throws ForesizeError ANOMALY_NOBODY when none of those there at the start has the resource it shows in
   */
  of(t: number, arrivals: readonly Arrival[]): Planned[] {
    const planned: Planned[] = [];
    this.#entries.forEach((entry, e) => {
      const able = arrivals.flatMap((arrival) => {
        const one = this.#draw(entry, e, t, arrival);
        return one ? [one] : [];
      });
      if (t === 0 && arrivals.length > 0 && !arrivals.some(({ spec }) => canShow(spec, entry))) {
        const named = RESOURCES[entry.shape.resources[0]!]!;
        const whose = entry.config.applications ? `of ${entry.config.applications.join(', ')} ` : '';
        throw new ForesizeError({
          code: 'ANOMALY_NOBODY',
          what: `no VM ${whose}can show a ${entry.config.kind}: none has ${named}`,
          where: `workload.anomalies.${e}`,
          remedy: 'leave the entry out, or choose another kind or other applications',
        });
      }
      const free = able.filter(
        ({ anomaly }) => !planned.some((other) => other.vm === anomaly.vm && this.#clash(other, anomaly)),
      );
      // Of those there at the start the share is exact; of those that come later each decides for itself.
      const chosen =
        t === 0
          ? free
              .toSorted((a, b) => a.luck - b.luck)
              .slice(0, Math.max(1, Math.round(entry.config.share * able.length)))
          : free.filter(({ luck }) => luck < entry.config.share);
      planned.push(...chosen.map(({ anomaly }) => anomaly));
    });
    return planned.sort((a, b) => a.from - b.from || a.vm - b.vm);
  }

  #draw(entry: Entry, e: number, t: number, { vm, spec, until }: Arrival) {
    const { config, shape, within, lasts } = entry;
    const { vmId, requested } = spec;
    const id = hashString(vmId);
    const from = entry.from + Math.floor(uniformAt(this.#seed, id, 2 * e) * within);
    const to = Math.min(from + lasts, until, this.#intervals);
    if (!canShow(spec, entry) || from <= t || to <= from) return undefined;
    const anomaly: Planned = {
      vm,
      vmId,
      kind: config.kind,
      from,
      to,
      lasts,
      shape,
      size: config.size ?? shape.size,
      requested,
    };
    return { anomaly, luck: uniformAt(this.#seed, id, 2 * e + 1) };
  }

  #clash(a: Planned, b: Planned): boolean {
    return a.from < b.to + this.#peace && b.from < a.to + this.#peace;
  }
}

function canShow({ requested, applicationId }: VmSpec, { config, shape }: Entry): boolean {
  return requested[shape.resources[0]!]! > 0 && (config.applications?.includes(applicationId) ?? true);
}

function afterEnd(where: string, needed: number, intervals: number): ForesizeError {
  return new ForesizeError({
    code: 'ANOMALY_AFTER_END',
    what: `an onset may fall ${needed} ticks into a workload of ${intervals}`,
    where,
    remedy: 'let from and within together not exceed the duration',
  });
}
