import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Operations } from '../../operations.ts';
import { clientOf } from '../access.ts';
import type { ApiSettings } from '../config.ts';
import { HttpProblem } from '../problems.ts';
import { route } from '../route.ts';
import * as views from '../views.ts';

const reason = z.string().trim().min(1).max(500).describe('Why, for the journal.');

/** The daemon itself: its state, its stage of promotion, and the switch that stops it from resizing. */
export function controlRoutes(app: FastifyInstance, operations: Operations, settings: ApiSettings): void {
  const stage = () => {
    const { checks, ...rest } = operations.stage();
    return { ...rest, checks: checks.map((check) => ({ ...check })) };
  };
  route(app, {
    method: 'GET',
    path: '/status',
    id: 'getStatus',
    tag: 'control',
    summary: 'State of the daemon',
    reply: views.statusView,
    handle: () => ({
      ...operations.status(),
      writable: settings.token !== undefined,
      readsOpen: settings.openReads,
    }),
  });
  route(app, {
    method: 'GET',
    path: '/stage',
    id: 'getStage',
    tag: 'control',
    summary: 'How far the promotion got, and how the live measures compare with what was promised',
    reply: views.stageView,
    handle: stage,
  });
  route(app, {
    method: 'GET',
    path: '/bundle',
    id: 'getBundle',
    tag: 'control',
    summary: 'The bundle the daemon runs',
    reply: views.bundleView,
    handle: () => {
      const { bundle } = operations.stage();
      if (bundle) return bundle;
      throw new HttpProblem(404, {
        code: 'BUNDLE_NONE',
        what: 'the daemon runs a configuration, not a promoted bundle',
        remedy: 'make one by `foresize promote RUN`',
      });
    },
  });
  route(app, {
    method: 'POST',
    path: '/stage/advance',
    id: 'advanceStage',
    tag: 'control',
    summary: 'Move to the next stage: shadow, canary, all',
    reply: views.stageView,
    handle: async (_input, request) => {
      await operations.advanceStage(clientOf(request));
      return stage();
    },
  });
  route(app, {
    method: 'POST',
    path: '/stage/rollback',
    id: 'rollBack',
    tag: 'control',
    summary: 'Go back to shadow: decide, but do not act',
    body: z.strictObject({ reason }),
    reply: views.stageView,
    handle: async ({ body }, request) => {
      await operations.rollBack(body.reason, clientOf(request));
      return stage();
    },
  });
  route(app, {
    method: 'GET',
    path: '/kill-switch',
    id: 'getKillSwitch',
    tag: 'control',
    summary: 'Whether all resizing is stopped, and why',
    reply: views.killSwitchView,
    handle: () => operations.status().killSwitch,
  });
  route(app, {
    method: 'PUT',
    path: '/kill-switch',
    id: 'engageKillSwitch',
    tag: 'control',
    summary: 'Stop all resizing at once',
    body: z.strictObject({
      reason,
      restore: z.boolean().default(false).describe('Also lift the limits that were set.'),
    }),
    reply: views.killSwitchView,
    handle: async ({ body }, request) => {
      await operations.engageKillSwitch(body.reason, body.restore, clientOf(request));
      return operations.status().killSwitch;
    },
  });
  route(app, {
    method: 'DELETE',
    path: '/kill-switch',
    id: 'releaseKillSwitch',
    tag: 'control',
    summary: 'Resume resizing',
    reply: views.killSwitchView,
    handle: async (_input, request) => {
      await operations.releaseKillSwitch(clientOf(request));
      return operations.status().killSwitch;
    },
  });
}
