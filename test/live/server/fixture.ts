import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { type ApiParams, type ApiSettings, apiParams } from '../../../live/server/config.ts';
import { createServer } from '../../../live/server/server.ts';
import { Token } from '../../../live/server/token.ts';
import { SimulatedOperations } from './operations.ts';

export const SECRET = 'correct-horse-battery-staple-0123456789';
export const AUTH = { authorization: `Bearer ${SECRET}` };

export interface Fixture {
  readonly app: FastifyInstance;
  readonly operations: SimulatedOperations;
  /** Every line the server logged. */
  readonly logged: string[];
}

export function settingsOf(
  params: Partial<ApiParams> = {},
  { token = true, openReads = true }: { token?: boolean; openReads?: boolean } = {},
): ApiSettings {
  return {
    params: apiParams.parse(params),
    token: token ? new Token(SECRET) : undefined,
    tls: undefined,
    openReads,
  };
}

/** A server over simulated VMs that have run for `ticks`. */
export async function serverOf(settings = settingsOf(), ticks = 20): Promise<Fixture> {
  const operations = await SimulatedOperations.create();
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  const now = () => operations.status().tickAt;
  const app = await createServer(operations, settings, { log, now });
  await app.ready();
  await operations.run(ticks);
  return { app, operations, logged };
}
