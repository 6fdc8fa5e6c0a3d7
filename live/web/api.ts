import type { ProblemView } from '../server/views.ts';
import { askToken, storedToken } from './token.ts';

/** A request the server refused, or that did not reach it. */
export class ApiError extends Error {
  readonly code: string;
  readonly remedy: string | undefined;
  readonly status: number;

  constructor(status: number, { code, title, remedy }: Pick<ProblemView, 'code' | 'title' | 'remedy'>) {
    super(title);
    this.code = code;
    this.remedy = remedy;
    this.status = status;
  }
}

/** Reads from the API; asks for the token where the server wants it for reading too. */
export function read<T>(path: string): Promise<T> {
  return withToken(() => request<T>('GET', path), 'Reading this server needs its token.');
}

/**
 * Changes something; asks for the token first if it is not known.
 * @returns undefined when the user would not give one
 */
export async function write<T>(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<T | undefined> {
  if (storedToken() === null && !(await askToken('Changing something needs the token of the daemon.')))
    return undefined;
  return withToken(() => request<T>(method, path, body), 'The server did not accept that token.');
}

export function authorization(): Record<string, string> {
  const token = storedToken();
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

async function withToken<T>(act: () => Promise<T>, why: string): Promise<T> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const wanted = error instanceof ApiError && error.status === 401;
      if (!wanted || !(await askToken(why))) throw error;
    }
  }
}

async function request<T>(method: string, path: string, body?: object): Promise<T> {
  let reply: Response;
  try {
    reply = await fetch(`/api/v1${path}`, {
      method,
      headers: { ...authorization(), ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, {
      code: 'NO_ANSWER',
      title: 'The daemon does not answer.',
      remedy: 'It is tried again by itself. See whether it runs: systemctl status foresize',
    });
  }
  if (reply.ok) return (await reply.json()) as T;
  throw await problemOf(reply);
}

export async function problemOf(reply: Response): Promise<ApiError> {
  const known = (await reply.json().catch(() => undefined)) as ProblemView | undefined;
  return new ApiError(
    reply.status,
    known ?? {
      code: `HTTP_${reply.status}`,
      title: `The server answered with ${reply.status}.`,
      remedy: undefined,
    },
  );
}
