import { chmodSync, existsSync, lstatSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import type { ApiSettings } from './config.ts';

/**
 * Starts to listen where the settings say.
 * @returns the address: a URL, or the socket's path
 * @throws ForesizeError API_ADDRESS_IN_USE, API_ADDRESS_UNUSABLE
 */
export async function listen(app: FastifyInstance, { params, tls }: ApiSettings): Promise<string> {
  const { socket, host, port } = params;
  const where = socket ?? `${host}:${port}`;
  try {
    if (socket === undefined) {
      const address = await app.listen({ host, port });
      return tls ? address.replace(/^http:/, 'https:') : address;
    }
    await removeStale(socket);
    await app.listen({ path: socket });
    chmodSync(socket, 0o660);
    return socket;
  } catch (cause) {
    if (cause instanceof ForesizeError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw code === 'EADDRINUSE'
      ? inUse(where, cause)
      : new ForesizeError(
          {
            code: 'API_ADDRESS_UNUSABLE',
            what: `cannot listen there: ${message}`,
            where,
            remedy: 'correct api.host and api.port, or make the folder of api.socket writable for the daemon',
          },
          EXIT.runtime,
          cause,
        );
  }
}

/** A daemon that was killed leaves its socket behind; one that answers is another daemon's. */
async function removeStale(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const answers = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (answers || !lstatSync(path).isSocket()) throw inUse(path, undefined);
  rmSync(path);
}

function inUse(where: string, cause: unknown): ForesizeError {
  return new ForesizeError(
    {
      code: 'API_ADDRESS_IN_USE',
      what: 'something else is there already',
      where,
      remedy: 'stop the other daemon, or set another api.port or api.socket',
    },
    EXIT.runtime,
    cause,
  );
}
