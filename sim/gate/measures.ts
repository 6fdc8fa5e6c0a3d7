/** How much worse than its baseline a measure may be: the larger of the two. */
export interface Tolerance {
  /** Share of the baseline's value. */
  readonly relative: number;
  /** In the measure's unit: what a change of a few events comes to. */
  readonly absolute: number;
}

export interface GatedMeasure {
  readonly unit: string;
  readonly worse: 'higher' | 'lower';
  readonly tolerance: Tolerance;
}

const share = {
  unit: 'share of VM-time',
  worse: 'higher',
  tolerance: { relative: 0.02, absolute: 0.001 },
} as const;
const slack = {
  unit: 'share of allocation',
  worse: 'higher',
  tolerance: { relative: 0, absolute: 0.005 },
} as const;
const resizes = {
  unit: 'per VM-day',
  worse: 'higher',
  tolerance: { relative: 0.02, absolute: 0.05 },
} as const;

/** What a gate looks at, by the names of `flatRun`. All of it is simulated, so it repeats to the last bit. */
export const GATED: Readonly<Record<string, GatedMeasure>> = {
  cost_per_vm_day: { unit: 'per VM-day', worse: 'higher', tolerance: { relative: 0.01, absolute: 0 } },
  violation_rate: share,
  cpu_violation_rate: share,
  memory_violation_rate: share,
  disk_io_violation_rate: share,
  network_violation_rate: share,
  cpu_slack: slack,
  memory_slack: slack,
  cpu_resizes_per_vm_day: resizes,
  memory_resizes_per_vm_day: resizes,
  oom_kills_per_vm_day: {
    unit: 'per VM-day',
    worse: 'higher',
    tolerance: { relative: 0.02, absolute: 0.01 },
  },
  slowdown_p99: { unit: 'wanted / served', worse: 'higher', tolerance: { relative: 0.02, absolute: 0 } },
  fairness: { unit: "Jain's index", worse: 'lower', tolerance: { relative: 0, absolute: 0.002 } },
};
