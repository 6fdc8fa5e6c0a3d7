import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { EXIT, ForesizeError, type Problem } from '../../core/errors.ts';
import { readToken, type Token } from './token.ts';

/** The `api:` section of the daemon's configuration. */
export const apiParams = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('Address to listen on. Any but a loopback address needs a token and TLS.'),
    port: z.int().min(0).max(65_535).default(7460).describe('Port to listen on; 0 takes a free one.'),
    socket: z
      .string()
      .min(1)
      .optional()
      .describe('Path of a Unix socket to listen on in place of host and port, mode 0660.'),
    tokenFile: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File that holds the token, readable by its owner alone. Without a token nothing can be changed.',
      ),
    tokenEnv: z
      .string()
      .min(1)
      .optional()
      .describe('Environment variable that holds the token, in place of a file.'),
    tls: z
      .strictObject({ cert: z.string().min(1), key: z.string().min(1) })
      .optional()
      .describe('PEM files of the certificate chain and its key.'),
    allowedHosts: z
      .array(z.string().min(1))
      .default([])
      .describe('Further host names clients may call the server by, such as that of a proxy before it.'),
    limits: z
      .strictObject({
        readsPerMinute: z.int().min(1).default(600).describe('Reading requests of one address.'),
        writesPerMinute: z.int().min(1).default(30).describe('Changing requests of one address.'),
        bodyKib: z.int().min(1).max(1024).default(16).describe('Size of a request body.'),
        streams: z.int().min(1).max(1000).default(16).describe('Event streams open at once.'),
      })
      .prefault({}),
    metricsVms: z
      .int()
      .min(0)
      .default(200)
      .describe('VMs that have series of their own in /metrics; of a larger fleet the first by name.'),
  })
  .describe('Where the HTTP API and the dashboard listen.');

export type ApiParams = z.infer<typeof apiParams>;

/** What the server runs with: the configuration, with the files it names read and found to be in order. */
export interface ApiSettings {
  readonly params: ApiParams;
  readonly token: Token | undefined;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Whether everybody who reaches the server may read: on loopback and through a Unix socket. */
  readonly openReads: boolean;
}

/**
 * Reads what the configuration names and refuses combinations that would be unsafe, all of them at once, before
 * anything listens.
 * @throws ForesizeError API_ADDRESS_CONFLICT, API_TOKEN_REQUIRED, API_TLS_REQUIRED, API_TLS_UNREADABLE,
 * API_TLS_INVALID, API_KEY_EXPOSED, API_TOKEN_CONFLICT, API_TOKEN_UNREADABLE, API_TOKEN_EXPOSED, API_TOKEN_WEAK
 */
export function prepareApi(
  params: ApiParams,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ApiSettings {
  const problems: Problem[] = [];
  const collect = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ForesizeError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const openReads = params.socket !== undefined || isLoopback(params.host);
  if (params.socket !== undefined && params.tls) {
    problems.push({
      code: 'API_ADDRESS_CONFLICT',
      what: 'a Unix socket is not encrypted: tls does not go with it',
      where: 'api.tls',
      remedy: 'leave out either socket or tls',
    });
  }
  const token = collect(() => readToken(params, env));
  const tls = collect(() => readTls(params));
  if (!openReads && params.tokenFile === undefined && params.tokenEnv === undefined) {
    problems.push({
      code: 'API_TOKEN_REQUIRED',
      what: `${params.host} can be reached by others, and no token is configured`,
      where: 'api.tokenFile',
      remedy: 'make a token (see docs/operations.md), or listen on 127.0.0.1 or on a Unix socket',
    });
  }
  if (!openReads && !params.tls) {
    problems.push({
      code: 'API_TLS_REQUIRED',
      what: `${params.host} can be reached by others, and without TLS they could read the token`,
      where: 'api.tls',
      remedy: 'name a certificate and its key, or listen on 127.0.0.1 or on a Unix socket',
    });
  }
  if (problems.length > 0) throw new ForesizeError(problems, EXIT.usage);
  return { params, token, tls, openReads };
}

/** localhost, 127.0.0.0/8 and ::1. A name other than localhost may resolve to anything. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '').toLowerCase();
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function readTls({ tls }: ApiParams): ApiSettings['tls'] {
  if (!tls) return undefined;
  const read = (field: 'cert' | 'key'): string => {
    try {
      return readFileSync(tls[field], 'utf8');
    } catch (cause) {
      const problem = {
        code: 'API_TLS_UNREADABLE',
        what: (cause as Error).message,
        where: `api.tls.${field}`,
      };
      throw new ForesizeError({ ...problem, remedy: 'name a readable PEM file' }, EXIT.usage, cause);
    }
  };
  const cert = read('cert');
  const key = read('key');
  if ((statSync(tls.key).mode & 0o007) !== 0) {
    throw new ForesizeError({
      code: 'API_KEY_EXPOSED',
      what: `every user of this machine may read ${tls.key}`,
      where: 'api.tls.key',
      remedy: `chmod o= ${tls.key}`,
    });
  }
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const what = `the certificate and the key cannot be used: ${(cause as Error).message}`;
    throw new ForesizeError(
      {
        code: 'API_TLS_INVALID',
        what,
        where: 'api.tls',
        remedy: 'both must be PEM, and the key that of the certificate',
      },
      EXIT.usage,
      cause,
    );
  }
  return { cert, key };
}
