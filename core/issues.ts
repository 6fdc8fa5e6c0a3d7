import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/**
 * The issues of a failed parse, where "invalid input" of a union gives way to the issues of the branch that came
 * furthest: `bursts: {height: high}` is a wrong height, not neither 'none' nor bursts.
 */
export function closestIssues(error: { readonly issues: readonly Issue[] }): Issue[] {
  return error.issues.flatMap((issue) => closest(issue));
}

function closest(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const branches = issue.errors.map((issues) =>
    issues.flatMap((inner) => closest({ ...inner, path: [...issue.path, ...inner.path] })),
  );
  const depth = (issues: readonly Issue[]) => Math.max(...issues.map((inner) => inner.path.length));
  const [best, next] = branches.toSorted((a, b) => depth(b) - depth(a));
  if (best && (!next || depth(best) > depth(next))) return best;
  // No branch came further than the others: say what each of them would have liked.
  const all = branches.flat().map((inner) => inner.message.replace(/^Invalid input: /, ''));
  return all.length > 0 ? [{ ...issue, message: all.join(', or ') }] : [issue];
}
