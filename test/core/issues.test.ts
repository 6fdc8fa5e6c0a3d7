import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { closestIssues } from '../../core/issues.ts';

const schema = z.strictObject({
  bursts: z.union([z.literal('none'), z.strictObject({ height: z.number() })]),
  users: z.union([z.int(), z.array(z.union([z.string(), z.strictObject({ id: z.string() })]))]),
});

const issuesOf = (value: unknown): string[] => {
  const { error } = schema.safeParse(value);
  return error ? closestIssues(error).map((issue) => `${issue.path.join('.')}: ${issue.message}`) : [];
};

describe('issues of unions', () => {
  it('are those of the branch that came furthest', () => {
    expect(issuesOf({ bursts: { height: 'x' }, users: 1 })).toEqual([
      'bursts.height: Invalid input: expected number, received string',
    ]);
    expect(issuesOf({ bursts: 'none', users: [{ id: 5 }] })).toEqual([
      'users.0.id: Invalid input: expected string, received number',
    ]);
  });

  it('or what each branch would have liked', () => {
    expect(issuesOf({ bursts: 5, users: 1 })).toEqual([
      'bursts: expected "none", or expected object, received number',
    ]);
    expect(issuesOf({ bursts: 'none', users: 1.5 })).toHaveLength(1);
  });

  it('others stay as they are', () => {
    expect(issuesOf({ bursts: { heigth: 1, height: 1 }, users: 1, more: 1 })).toEqual([
      'bursts: Unrecognized key: "heigth"',
      ': Unrecognized key: "more"',
    ]);
    const { error } = z
      .discriminatedUnion('kind', [z.object({ kind: z.literal('a') })])
      .safeParse({ kind: 'b' });
    expect(closestIssues(error!)[0]!.message).toMatch(/^Invalid discriminator value/);
  });
});
