import type { Tolerance, Tolerances } from '../../core/cost/tolerance.ts';
import type { Scenario } from '../scenario.ts';
import type { Archetype } from '../workload/archetypes.ts';

/** What a generator knows of its applications: batch work has deadlines and checkpoints. */
const OF_ARCHETYPE: { readonly [name in Archetype]?: Tolerance } = {
  batch: {
    deferrable: {},
    interruptible: { checkpoint: { every: '30m', takes: '20s' }, restart: '2m', downtime: 0.05 },
  },
};

/** What applications can bear: as the scenario says, else as the generator knows. */
export function tolerancesOf({
  workload,
  tolerances,
}: Pick<Scenario, 'workload' | 'tolerances'>): Tolerances {
  const known =
    workload.source === 'trace'
      ? []
      : workload.applications.flatMap(({ id, archetype }) => {
          const tolerance = OF_ARCHETYPE[archetype];
          return tolerance ? [[id, tolerance] as const] : [];
        });
  return { ...Object.fromEntries(known), ...tolerances };
}
