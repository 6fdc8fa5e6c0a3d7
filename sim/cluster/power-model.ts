import { z } from 'zod';
import { POWER_STEPS, POWER_TABLES, type PowerTableName } from './power.ts';

const named = z.enum(Object.keys(POWER_TABLES) as [PowerTableName, ...PowerTableName[]]);
const watts = z.array(z.number().min(0)).length(POWER_STEPS + 1);

/** A SPECpower table by name, or eleven figures of one's own. */
export const powerTable = z
  .union([named, watts])
  .describe('SPECpower table: a name, or W at 0, 10, ..., 100 % CPU load.');

export function wattsOf(table: z.infer<typeof powerTable>): readonly number[] {
  return typeof table === 'string' ? POWER_TABLES[table] : table;
}
