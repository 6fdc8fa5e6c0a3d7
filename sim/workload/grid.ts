/** The time grid of a workload: interval t is [epochMs + t * stepMs, epochMs + (t + 1) * stepMs). */
export interface Grid {
  readonly epochMs: number;
  readonly stepMs: number;
}

/** Monday 1 January 2024, 00:00 UTC: when generated workloads begin. */
export const GENERATED_EPOCH = 1_704_067_200_000;
