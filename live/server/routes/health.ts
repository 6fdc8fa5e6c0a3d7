import type { FastifyInstance } from 'fastify';
import type { Operations } from '../../operations.ts';

/** Ticks that may be missed before the daemon counts as not ready. */
const LATE = 3;

/** For supervisors: whether the process answers, and whether it does its work. Both without a token. */
export function healthRoutes(app: FastifyInstance, operations: Operations, now: () => number): void {
  const options = { config: { open: true }, schema: { hide: true }, exposeHeadRoute: true };
  app.get('/healthz', options, async () => ({ status: 'ok' }));
  app.get('/readyz', options, async (_request, reply) => {
    const { connected, tickAt, startedAt, stepMs } = operations.status();
    const late = now() - Math.max(tickAt, startedAt) > LATE * stepMs;
    if (connected && !late) return { status: 'ready' };
    reply.code(503);
    return {
      status: 'not ready',
      reason: connected ? 'the last tick is overdue' : 'no connection to libvirt',
    };
  });
}
