import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Operations } from '../../operations.ts';
import { clientOf } from '../access.ts';
import { HttpProblem } from '../problems.ts';
import { route } from '../route.ts';
import * as views from '../views.ts';

const idParams = z.strictObject({ id: z.string() });
const ANSWERS = { accept: 'accepted', dismiss: 'dismissed' } as const;

/** What was found out: anomalies, and recommendations with their answers. */
export function findingRoutes(app: FastifyInstance, operations: Operations): void {
  route(app, {
    method: 'GET',
    path: '/anomalies',
    id: 'listAnomalies',
    tag: 'findings',
    summary: 'Anomalies, the newest first',
    query: z.strictObject({
      state: z.enum(['open', 'ended', 'all']).default('all'),
      vm: z.string().optional().describe('Only those of this VM.'),
    }),
    reply: views.anomaliesView,
    handle: ({ query: { state, vm } }) => ({
      anomalies: operations
        .anomalies()
        .filter(({ endedAt }) => state === 'all' || (endedAt === null) === (state === 'open'))
        .filter(({ vmId }) => vm === undefined || vmId === vm)
        .toSorted((a, b) => b.beganAt - a.beganAt),
    }),
  });
  route(app, {
    method: 'GET',
    path: '/recommendations',
    id: 'listRecommendations',
    tag: 'findings',
    summary: 'Recommendations with their evidence',
    query: z.strictObject({ state: z.enum(['open', 'accepted', 'dismissed', 'all']).default('all') }),
    reply: views.recommendationsView,
    handle: ({ query: { state } }) => ({
      recommendations: operations.recommendations().filter((r) => state === 'all' || r.state === state),
    }),
  });
  for (const verb of ['accept', 'dismiss'] as const) {
    route(app, {
      method: 'POST',
      path: `/recommendations/:id/${verb}`,
      id: `${verb}Recommendation`,
      tag: 'findings',
      summary: `${verb === 'accept' ? 'Accept' : 'Dismiss'} a recommendation`,
      params: idParams,
      body: z.strictObject({ note: z.string().max(2000).default('').describe('Why, for the journal.') }),
      reply: views.recommendationView,
      handle: async ({ params: { id }, body: { note } }, request) => {
        find(operations, id);
        await operations.answerRecommendation(id, ANSWERS[verb], clientOf(request), note);
        return find(operations, id);
      },
    });
  }
}

function find(operations: Operations, id: string) {
  const found = operations.recommendations().find((recommendation) => recommendation.id === id);
  if (found) return found;
  throw new HttpProblem(404, {
    code: 'RECOMMENDATION_UNKNOWN',
    what: `there is no recommendation '${id}'`,
    remedy: 'see GET /api/v1/recommendations; one that no longer applies is withdrawn',
  });
}
