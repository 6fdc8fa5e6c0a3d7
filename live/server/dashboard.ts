import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from './problems.ts';

const require = createRequire(import.meta.url);

/** Where the dashboard's pages are; each is the same document, whose script shows what the address asks for. */
const PAGES = [
  '/',
  '/vms',
  '/vms/:vmId',
  '/anomalies',
  '/recommendations',
  '/policies',
  '/promotion',
  '/events',
];

/**
 * The web dashboard: files of this package and the chart library, nothing from elsewhere. They hold no data and so need
 * no token; what they show is read by the API.
 */
export async function serveDashboard(app: FastifyInstance): Promise<void> {
  const root = packageRoot();
  const files = join(root, 'live/web/static');
  const scripts = join(root, 'dist/live/web');
  const charts = dirname(require.resolve('uplot/package.json'));
  const options = { schema: { hide: true }, config: { open: true } };
  if (!existsSync(join(scripts, 'main.js'))) {
    for (const page of PAGES) app.get(page, options, async () => notBuilt());
    return;
  }
  const document = readFileSync(join(files, 'index.html'));
  for (const page of PAGES) {
    app.get(page, options, async (_request, reply) => reply.type('text/html; charset=utf-8').send(document));
  }
  await app.register(async (assets) => {
    assets.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true };
      route.schema = { hide: true };
    });
    // Kept by the browser, and asked for again by their ETag.
    assets.addHook('onRequest', async (_request, reply) => {
      reply.header('cache-control', 'no-cache');
    });
    const common = { decorateReply: false, index: false, dotfiles: 'ignore', cacheControl: false } as const;
    await assets.register(fastifyStatic, { ...common, root: files, prefix: '/assets/' });
    await assets.register(fastifyStatic, { ...common, root: scripts, prefix: '/scripts/' });
    await assets.register(fastifyStatic, {
      ...common,
      root: join(charts, 'dist'),
      prefix: '/charts/',
      allowedPath: (path) => path === '/uPlot.iife.min.js' || path === '/uPlot.min.css',
    });
  });
}

function notBuilt(): never {
  throw new HttpProblem(503, {
    code: 'DASHBOARD_NOT_BUILT',
    what: "the dashboard's scripts are missing",
    remedy: 'run `npm run build`',
  });
}

/** The folder of package.json: the sources are in it, the build one folder down. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}
