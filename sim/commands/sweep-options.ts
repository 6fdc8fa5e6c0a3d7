import { ForesizeError } from '../../core/errors.ts';

export const queueTimeout = {
  type: 'string',
  default: '60s',
  describe: 'Give up when the queue has been out of reach for so long.',
} as const;

/** Options of what leaves its runs to a queue. */
export const queueOptions = {
  queue: {
    type: 'string',
    describe: 'Leave the runs to the `foresize worker`s of a queue: redis:// or postgresql://',
  },
  'queue-timeout': queueTimeout,
} as const;

export function atLeastOne(value: number, option: string): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new ForesizeError({
    code: 'USAGE',
    what: `${option} is ${value}`,
    where: option,
    remedy: 'give a whole number, 1 or more',
  });
}

/** A name as part of a path. */
export function fileName(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'unnamed'
  );
}
