import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Operations, OperationsEvent } from '../operations.ts';
import { HttpProblem } from './problems.ts';
import { route } from './route.ts';
import { eventsView } from './views.ts';

const HEARTBEAT_MS = 15_000;
/** Events sent to a client that comes back; what is older than these is in the journal. */
const BACKLOG = 1000;
/** Bytes that may wait for a client that does not read, before it is let go. */
const MOST_WAITING = 1 << 20;

/** The clients of the event stream, counted for the limit and for the metrics. */
export class EventStreams {
  readonly #open = new Set<() => void>();

  get count(): number {
    return this.#open.size;
  }

  add(end: () => void): () => void {
    this.#open.add(end);
    return () => this.#open.delete(end);
  }

  /** Ends all of them, so that the server can stop. */
  end(): void {
    for (const end of [...this.#open]) end();
  }
}

/**
 * What happens, as it happens: Server-Sent Events whose ids are the journal's numbers, so that a client that was cut
 * off names the last one it saw (`Last-Event-ID`, or `after`) and misses nothing.
 */
export function eventRoutes(
  app: FastifyInstance,
  operations: Operations,
  streams: EventStreams,
  most: number,
): void {
  route(app, {
    method: 'GET',
    path: '/events',
    id: 'listEvents',
    tag: 'events',
    summary: 'The newest events, oldest first',
    query: z.strictObject({
      after: z.coerce.number().int().min(0).default(0).describe('Only those with a larger number.'),
      limit: z.coerce.number().int().min(1).max(BACKLOG).default(100),
    }),
    reply: eventsView,
    handle: ({ query }) => ({ events: [...operations.events(query.after, query.limit)] }),
  });
  app.get(
    '/events/stream',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamEvents',
        tags: ['events'],
        summary: 'Events as they happen, as Server-Sent Events; resumes after Last-Event-ID',
        querystring: { type: 'object', properties: { after: { type: 'integer', minimum: 0 } } },
        response: {
          200: {
            description: 'A stream of events: `id` is the number, `data` the event as JSON.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
        },
      },
      validatorCompiler: () => () => true,
      serializerCompiler: () => (data) => JSON.stringify(data),
    },
    async (request, reply) => {
      const after = lastSeen(
        request.headers['last-event-id'] ?? (request.query as { after?: unknown }).after,
      );
      if (streams.count >= most) {
        reply.header('retry-after', '30');
        throw new HttpProblem(503, {
          code: 'EVENT_STREAMS_FULL',
          what: `${most} event streams are open, and no more are allowed`,
          remedy: 'close one, or raise api.limits.streams',
        });
      }
      stream(operations, streams, reply, after);
      return reply;
    },
  );
}

function lastSeen(value: unknown): number | undefined {
  if (value === undefined || value === '') return undefined;
  const seq = Number(value);
  if (Number.isSafeInteger(seq) && seq >= 0) return seq;
  throw new HttpProblem(422, {
    code: 'EVENT_ID_INVALID',
    what: 'the last event id is not the number of an event',
    where: 'header Last-Event-ID',
    remedy: 'give back the id of the last event that came, or none',
  });
}

function stream(
  operations: Operations,
  streams: EventStreams,
  reply: FastifyReply,
  after: number | undefined,
): void {
  const { raw } = reply;
  const newest = operations.events(0, 1)[0]?.seq ?? 0;
  // A number from another journal lies in the future of this one: nothing would ever come after it.
  let last = Math.min(after ?? newest, newest);
  const send = (event: OperationsEvent) => {
    if (event.seq <= last) return;
    last = event.seq;
    raw.write(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`);
    if (raw.writableLength > MOST_WAITING) raw.destroy();
  };
  reply.hijack();
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
  });
  // At once, so that the client knows the stream stands even if nothing happens.
  raw.write(': open\n\n');
  for (const event of operations.events(last, BACKLOG)) send(event);
  const unsubscribe = operations.subscribe(send);
  const heartbeat = setInterval(() => raw.write(': still here\n\n'), HEARTBEAT_MS);
  heartbeat.unref();
  const leave = streams.add(() => raw.end());
  raw.on('close', () => {
    clearInterval(heartbeat);
    unsubscribe();
    leave();
  });
}
