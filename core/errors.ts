/** Exit codes of the command line; see README. */
export const EXIT = { ok: 0, runtime: 1, usage: 2, gate: 3, refused: 4, interrupted: 130 } as const;

export interface Problem {
  /** Stable, upper-case, for scripts: `TRACE_BAD_NUMBER`. */
  readonly code: string;
  /** What is wrong, in one sentence. */
  readonly what: string;
  /** Where: `file:line`, a dotted path of the scenario, or both. */
  readonly where?: string | undefined;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

/** An error a user can act on: a code, a place and a remedy, printed in one screen. */
export class ForesizeError extends Error {
  readonly code: string;
  readonly exitCode: number;
  readonly problems: readonly Problem[];

  constructor(problems: Problem | readonly Problem[], exitCode: number = EXIT.usage, cause?: unknown) {
    const list = Array.isArray(problems) ? (problems as readonly Problem[]) : [problems as Problem];
    super(list.map(formatProblem).join('\n'), cause === undefined ? undefined : { cause });
    this.name = 'ForesizeError';
    this.code = list[0]?.code ?? 'UNKNOWN';
    this.exitCode = exitCode;
    this.problems = list;
  }
}

export function formatProblem(problem: Problem): string {
  const where = problem.where ? ` (${problem.where})` : '';
  const remedy = problem.remedy ? `\n  remedy: ${problem.remedy}` : '';
  return `${problem.code}: ${problem.what}${where}${remedy}`;
}
