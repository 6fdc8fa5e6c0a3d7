import type { z } from 'zod';
import type { Problem } from './errors.ts';
import { closestIssues } from './issues.ts';

/** Every issue of a failed parse as a problem with its dotted path. `place` adds where in the file it stands. */
export function zodProblems(
  error: z.ZodError,
  code: string,
  place: (path: readonly PropertyKey[]) => string,
): Problem[] {
  return closestIssues(error).flatMap((issue) => problemsOf(issue, code, place));
}

function problemsOf(
  issue: z.core.$ZodIssue,
  code: string,
  place: (path: readonly PropertyKey[]) => string,
): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      code: `${code}_UNKNOWN_KEY`,
      what: `'${key}' is not a known key here`,
      where: place([...issue.path, key]),
      remedy: 'see `foresize schema` for the keys that are',
    }));
  }
  return [
    {
      code,
      what: issue.message,
      where: place(issue.path),
      remedy: 'correct it; `foresize schema` says what it may hold',
    },
  ];
}
