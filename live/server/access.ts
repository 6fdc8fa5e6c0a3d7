import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ApiSettings } from './config.ts';
import { HttpProblem } from './problems.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Holds nothing worth guarding: the dashboard's files, whether the process lives. */
    open?: boolean;
  }
}

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'cache-control': 'no-store',
};
/** Names under which a secret may be found in a URL. */
const SECRET_NAME = /^(access_?|api_?|auth_?|bearer_?)?(token|key|authorization|bearer|secret|password)$/i;

/**
 * Who may do what, in the order it is checked: the headers of every answer, the name the server was called by (a page
 * that rebinds its own name to this address is turned away), no secret in a URL, then the token. The token is checked
 * after the rate limit, so that guesses are counted, and before the body is read.
 */
export function guardAccess(app: FastifyInstance, settings: ApiSettings): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    if (settings.tls) reply.header('strict-transport-security', 'max-age=31536000');
    checkHost(request, settings);
    checkUrl(request, settings);
  });
  app.addHook('preParsing', async (request) => checkToken(request, settings));
}

/** Whether the request changes something. */
export function isWrite(request: FastifyRequest): boolean {
  return request.method !== 'GET' && request.method !== 'HEAD' && request.method !== 'OPTIONS';
}

/** Who asks, for the journal and for the limits. */
export function clientOf(request: FastifyRequest): string {
  return request.ip || 'unix socket';
}

function checkHost(request: FastifyRequest, { params }: ApiSettings): void {
  const name = hostName(request.headers.host ?? '');
  // A page can rebind its own name, never an address.
  const allowed = ['localhost', params.host, ...params.allowedHosts].some((host) => hostName(host) === name);
  if (!allowed && isIP(name) === 0) {
    throw new HttpProblem(403, {
      code: 'HOST_NOT_ALLOWED',
      what: 'the server was called by a name that is not its own',
      where: 'header Host',
      remedy: 'use the address it listens on, or add the name to api.allowedHosts',
    });
  }
  const { origin } = request.headers;
  if (isWrite(request) && origin !== undefined && hostName(origin.replace(/^https?:\/\//, '')) !== name) {
    throw new HttpProblem(403, {
      code: 'ORIGIN_NOT_ALLOWED',
      what: 'the request comes from a page of another site',
      where: 'header Origin',
      remedy: 'use the dashboard of this server, or a client that is no browser',
    });
  }
}

/** Without the port, in lower case: `[::1]:7460` and `::1` give `::1`. */
function hostName(host: string): string {
  const [, bracketed] = /^\[([^\]]*)\]/.exec(host) ?? [];
  const name = bracketed ?? (host.split(':').length > 2 ? host : host.split(':')[0]!);
  return name.toLowerCase();
}

/** URLs end up in logs, histories and referrers: a secret in one is known to others from then on. */
function checkUrl(request: FastifyRequest, { token }: ApiSettings): void {
  const [path = '', ...query] = request.raw.url?.split('?') ?? [];
  const fields = [...new URLSearchParams(query.join('?'))];
  const isToken = (text: string) => token?.matches(text) ?? false;
  const exposed =
    fields.some(([name, value]) => SECRET_NAME.test(name) || isToken(value) || isToken(name)) ||
    path.split('/').some((part) => isToken(decoded(part)));
  if (!exposed) return;
  throw new HttpProblem(400, {
    code: 'TOKEN_IN_URL',
    what: 'the URL holds a secret; nothing was done',
    where: 'url',
    remedy:
      'send it as `Authorization: Bearer TOKEN`. If it was the real one, make a new one: others may know it now',
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function checkToken(request: FastifyRequest, { token, openReads }: ApiSettings): void {
  if (request.routeOptions.config.open) return;
  if (!isWrite(request) && openReads) return;
  if (!token) {
    throw new HttpProblem(403, {
      code: 'WRITES_DISABLED',
      what: 'no token is configured, so that nothing can be changed by the API',
      remedy: 'set api.tokenFile in the configuration and start the daemon anew',
    });
  }
  const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (given !== undefined && token.matches(given)) return;
  throw new HttpProblem(401, {
    code: given === undefined ? 'TOKEN_MISSING' : 'TOKEN_WRONG',
    what: given === undefined ? 'this needs the token' : 'that is not the token',
    where: 'header Authorization',
    remedy: 'send `Authorization: Bearer TOKEN`; the token is in the file api.tokenFile names',
  });
}
