import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { EXIT, ForesizeError } from '../../core/errors.ts';

const MAKE = "head -c 32 /dev/urandom | base64 | tr -d '=+/' >FILE; chmod 600 FILE";
const LEAST = 32;

/** The secret that lets a client change things. Kept as a digest: it cannot be printed by accident. */
export class Token {
  readonly #digest: Buffer;

  constructor(secret: string) {
    this.#digest = digest(secret);
  }

  /** Compares in a time that depends on neither of the two. */
  matches(candidate: string): boolean {
    return timingSafeEqual(this.#digest, digest(candidate));
  }
}

interface TokenSource {
  readonly tokenFile?: string | undefined;
  readonly tokenEnv?: string | undefined;
}

/**
 * The token from its file or its environment variable; undefined where neither is named.
 * @throws ForesizeError API_TOKEN_CONFLICT, API_TOKEN_UNREADABLE, API_TOKEN_EXPOSED, API_TOKEN_WEAK
 */
export function readToken(
  { tokenFile, tokenEnv }: TokenSource,
  env: Readonly<Record<string, string | undefined>>,
): Token | undefined {
  if (tokenFile !== undefined && tokenEnv !== undefined) {
    throw new ForesizeError({
      code: 'API_TOKEN_CONFLICT',
      what: 'both a file and an environment variable are named for the token',
      where: 'api.tokenEnv',
      remedy: 'leave out one of them',
    });
  }
  if (tokenFile !== undefined) return checked(readTokenFile(tokenFile), tokenFile);
  if (tokenEnv === undefined) return undefined;
  const value = env[tokenEnv];
  if (value === undefined) {
    throw new ForesizeError({
      code: 'API_TOKEN_UNREADABLE',
      what: `the environment variable ${tokenEnv} is not set`,
      where: 'api.tokenEnv',
      remedy: 'set it for the daemon, or use tokenFile',
    });
  }
  return checked(value, tokenEnv);
}

/** @throws ForesizeError API_TOKEN_UNREADABLE, API_TOKEN_EXPOSED */
function readTokenFile(file: string): string {
  let text: string;
  let mode: number;
  try {
    text = readFileSync(file, 'utf8');
    mode = statSync(file).mode & 0o777;
  } catch (cause) {
    const problem = { code: 'API_TOKEN_UNREADABLE', what: (cause as Error).message, where: 'api.tokenFile' };
    throw new ForesizeError({ ...problem, remedy: `make it: ${MAKE}` }, EXIT.usage, cause);
  }
  if ((mode & 0o077) !== 0) {
    throw new ForesizeError({
      code: 'API_TOKEN_EXPOSED',
      what: `others than its owner may use ${file}: its mode is 0${mode.toString(8)}`,
      where: 'api.tokenFile',
      remedy: `make a new token, since this one may be known: ${MAKE}`,
    });
  }
  return text;
}

/** The text without white space around it; it must be long, and go into a header as it is. */
function checked(text: string, where: string): Token {
  const secret = text.trim();
  if (secret.length < LEAST || !/^[\x21-\x7e]+$/.test(secret)) {
    throw new ForesizeError({
      code: 'API_TOKEN_WEAK',
      what: `the token must be at least ${LEAST} printable characters without spaces`,
      where,
      remedy: `make one: ${MAKE}`,
    });
  }
  return new Token(secret);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
