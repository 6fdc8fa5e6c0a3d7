import type { FastifyInstance, FastifyRequest, FastifySchema } from 'fastify';
import { z } from 'zod';
import { zodProblems } from '../../core/problems.ts';
import { HttpProblem } from './problems.ts';
import { problemView } from './views.ts';

type Shape = z.ZodType;
type Given<T> = T extends Shape ? z.output<T> : undefined;

/** One operation of the API: what it takes and gives, from which its checks and its documentation are made. */
export interface RouteSpec<P, Q, B, R extends Shape> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** `operationId` of the OpenAPI document. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly reply: R;
  handle(
    input: { readonly params: Given<P>; readonly query: Given<Q>; readonly body: Given<B> },
    request: FastifyRequest,
  ): z.input<R> | Promise<z.input<R>>;
}

/**
 * Mounts an operation. What comes in is checked with all its problems named at once; what goes out is held against its
 * schema as well, since the dashboard and other programs build on it.
 */
export function route<
  P extends Shape | undefined,
  Q extends Shape | undefined,
  B extends Shape | undefined,
  R extends Shape,
>(app: FastifyInstance, spec: RouteSpec<P, Q, B, R>): void {
  app.route({
    method: spec.method,
    url: spec.path,
    exposeHeadRoute: false,
    schema: documented(spec),
    validatorCompiler: () => () => true,
    serializerCompiler: () => (data) => JSON.stringify(data),
    handler: async (request, reply) => {
      const input = {
        params: checked('path', spec.params, request.params),
        query: checked('query', spec.query ?? z.strictObject({}), request.query),
        body: checked('body', spec.body, request.body ?? {}),
      };
      const answer = await spec.handle(input as never, request);
      return reply.type('application/json').send(JSON.stringify(spec.reply.parse(answer)));
    },
  });
}

function checked(part: string, schema: Shape | undefined, value: unknown): unknown {
  if (!schema) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = zodProblems(result.error, 'REQUEST_INVALID', (path) =>
    [part, ...path.map(String)].join('.'),
  );
  throw new HttpProblem(
    422,
    problems.map((problem) => ({
      ...problem,
      remedy: 'correct it; /api/v1/openapi.json says what it may hold',
    })),
  );
}

const PROBLEM = {
  description: 'What is wrong, where, and what to do about it.',
  content: { 'application/problem+json': { schema: jsonSchema(problemView, 'output') } },
};

/** The operation as the OpenAPI document shows it. */
function documented(spec: RouteSpec<unknown, unknown, unknown, Shape>): FastifySchema {
  const { params, query, body, method } = spec as RouteSpec<Shape, Shape, Shape, Shape>;
  return {
    operationId: spec.id,
    tags: [spec.tag],
    summary: spec.summary,
    ...(params && { params: jsonSchema(params, 'input') }),
    ...(query && { querystring: jsonSchema(query, 'input') }),
    ...(body && { body: jsonSchema(body, 'input') }),
    ...(method !== 'GET' && { security: [{ token: [] }] }),
    response: {
      200: {
        description: 'Done.',
        content: { 'application/json': { schema: jsonSchema(spec.reply, 'output') } },
      },
      default: PROBLEM,
    },
  } as FastifySchema;
}

function jsonSchema(schema: Shape, io: 'input' | 'output'): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
