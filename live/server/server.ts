import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Operations } from '../operations.ts';
import { clientOf, guardAccess, isWrite } from './access.ts';
import type { ApiSettings } from './config.ts';
import { serveDashboard } from './dashboard.ts';
import { EventStreams, eventRoutes } from './event-stream.ts';
import { createMetrics } from './metrics.ts';
import { asProblem, HttpProblem, sendProblem } from './problems.ts';
import { applicationRoutes } from './routes/applications.ts';
import { controlRoutes } from './routes/control.ts';
import { findingRoutes } from './routes/findings.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { healthRoutes } from './routes/health.ts';

export interface ServerOptions {
  /** Where what was done by the API is written to; silent without one. */
  readonly log?: FastifyBaseLogger;
  readonly now?: () => number;
}

/**
 * The HTTP server over what the daemon offers: the API under /api/v1 with its OpenAPI document, /metrics, /healthz and
 * /readyz, and the dashboard. It does not listen yet: see `listen`.
 */
export async function createServer(
  operations: Operations,
  settings: ApiSettings,
  { log, now = Date.now }: ServerOptions = {},
): Promise<FastifyInstance> {
  const { limits, metricsVms } = settings.params;
  const app = fastify({
    ...(log ? { loggerInstance: log } : {}),
    ...(settings.tls ? { https: settings.tls } : {}),
    // Its lines would hold the whole URL, and with it whatever was wrongly put there.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyKib * 1024,
    requestTimeout: 10_000,
    keepAliveTimeout: 30_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false },
    ajv: { customOptions: { strict: false } },
  }) as unknown as FastifyInstance;
  const streams = new EventStreams();
  const metrics = createMetrics(operations, streams, metricsVms);
  answerErrors(app);
  guardAccess(app, settings);
  await app.register(rateLimit, {
    max: (request) => (isWrite(request) ? limits.writesPerMinute : limits.readsPerMinute),
    timeWindow: 60_000,
    // A page of the dashboard is some thirty files, and supervisors ask often.
    allowList: (request) => request.routeOptions.config.open === true,
    keyGenerator: (request) => `${isWrite(request) ? 'write' : 'read'} ${clientOf(request)}`,
    errorResponseBuilder: (_request, { ttl }) =>
      new HttpProblem(429, {
        code: 'RATE_LIMITED',
        what: 'too many requests',
        remedy: `wait ${Math.ceil(ttl / 1000)} s; see api.limits`,
      }),
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, () => {
    throw new HttpProblem(404, {
      code: 'ROUTE_UNKNOWN',
      what: 'there is nothing at this address',
      remedy: 'see /api/v1/openapi.json for what there is',
    });
  });
  await app.register(swagger, { openapi: DOCUMENT });
  healthRoutes(app, operations, now);
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
  await app.register(
    async (api) => {
      fleetRoutes(api, operations);
      applicationRoutes(api, operations);
      findingRoutes(api, operations);
      controlRoutes(api, operations, settings);
      eventRoutes(api, operations, streams, limits.streams);
      api.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
    },
    { prefix: '/api/v1' },
  );
  await serveDashboard(app);
  logWrites(app);
  app.addHook('preClose', async () => {
    streams.end();
    metrics.close();
  });
  return app;
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: Error, request, reply) => {
    const problem = asProblem(error);
    if (problem) {
      if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="foresize"');
      return sendProblem(reply, problem);
    }
    request.log.error(
      { err: error, method: request.method, route: request.routeOptions.url },
      'request failed',
    );
    return sendProblem(
      reply,
      new HttpProblem(500, {
        code: 'INTERNAL',
        what: 'the server failed at this request',
        remedy: "see the daemon's log, and report it as a fault of Foresize",
      }),
    );
  });
}

/** A line for each attempt to change something: by its route, never by its URL. */
function logWrites(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    if (!isWrite(request)) return;
    const { url } = request.routeOptions;
    request.log.info(
      {
        method: request.method,
        route: url ?? 'unknown',
        status: reply.statusCode,
        client: clientOf(request),
      },
      'api write',
    );
  });
}

const DOCUMENT = {
  openapi: '3.1.0',
  info: {
    title: 'Foresize',
    version: '1',
    description:
      'Forecasts, policies and resizes of the VMs of a host. Changing anything needs the token. ' +
      'Errors are problem documents (RFC 9457) with a stable code and a remedy.',
    license: { name: 'MIT', identifier: 'MIT' },
  },
  tags: [
    { name: 'fleet', description: 'The VMs: what they use and are granted' },
    { name: 'applications', description: 'Policies and predictions' },
    { name: 'findings', description: 'Anomalies and recommendations' },
    { name: 'control', description: 'The daemon: state, promotion, kill switch' },
    { name: 'events', description: 'What happens' },
  ],
  components: { securitySchemes: { token: { type: 'http' as const, scheme: 'bearer' } } },
};
