import { EXIT, ForesizeError } from '../../core/errors.ts';

/** The journal is not, or no longer, what was written. */
export function corrupt(file: string, why: string, cause?: unknown): ForesizeError {
  return new ForesizeError(
    {
      code: 'JOURNAL_CORRUPT',
      what: `the journal is damaged: ${why}`,
      where: file,
      remedy:
        'put back a copy of it, or move it away to begin a new one; the limits it knew of stay as they are',
    },
    EXIT.runtime,
    cause,
  );
}

export function foreign(file: string, why: string): ForesizeError {
  return new ForesizeError({
    code: 'JOURNAL_FOREIGN',
    what: `this is no journal of Foresize: ${why}`,
    where: file,
    remedy: 'name a folder of its own with --journal',
  });
}

export function missing(file: string): ForesizeError {
  return new ForesizeError({
    code: 'JOURNAL_MISSING',
    what: 'there is no journal here',
    where: file,
    remedy: 'name the folder that `foresize live --journal` was given',
  });
}

export function locked(file: string, holder: string): ForesizeError {
  return new ForesizeError(
    {
      code: 'JOURNAL_LOCKED',
      what: `another daemon holds the journal: ${holder}`,
      where: file,
      remedy: 'stop it first, or give this one a journal of its own',
    },
    EXIT.runtime,
  );
}

/** Nothing of what was to be written is in the journal. */
export function unwritable(file: string, cause: unknown): ForesizeError {
  const { code, message } = cause as { code?: unknown; message: string };
  return new ForesizeError(
    {
      code: 'JOURNAL_UNWRITABLE',
      what: `the journal cannot be written: ${message}${code === undefined ? '' : ` [${String(code)}]`}`,
      where: file,
      remedy: 'check the folder and its permissions; see the message of the system',
    },
    EXIT.runtime,
    cause,
  );
}

export function full(file: string, freeBytes: number): ForesizeError {
  return new ForesizeError(
    {
      code: 'JOURNAL_FULL',
      what: `no room to write the journal: ${Math.floor(freeBytes / 1024)} KiB are free`,
      where: file,
      remedy: 'free some space; nothing is resized until the journal can be written again',
    },
    EXIT.runtime,
  );
}
