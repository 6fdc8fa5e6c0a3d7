import { ForesizeError } from '../../core/errors.ts';

export const queueTimeout = {
  type: 'string',
  default: '60s',
  describe: 'Give up when the queue has been out of reach for so long.',
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
