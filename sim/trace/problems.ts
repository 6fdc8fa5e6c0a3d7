import { EXIT, ForesizeError, type Problem } from '../../core/errors.ts';
import { TRACE_FORMATS } from './types.ts';

/**
 * What can be wrong with a trace, one function a code. Every one is the user's to mend, so all of them leave
 * with exit code 2. The first wrong thing stops the reading: no partial result looks complete.
 */
function problem(problem: Problem, cause?: unknown): ForesizeError {
  return new ForesizeError(problem, EXIT.usage, cause);
}

/** `text` in quotes, short and without control characters, as an error or a report may show it. */
export function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return JSON.stringify(short).replace(
    /[\u007f-\u009f\u2028\u2029\ufffd]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export const notFound = (path: string) =>
  problem({
    code: 'TRACE_NOT_FOUND',
    what: 'there is no such file or folder',
    where: path,
    remedy: 'check the path',
  });

export const unreadable = (path: string, cause: unknown) =>
  problem(
    {
      code: 'TRACE_UNREADABLE',
      what: `the system refuses to read it: ${cause instanceof Error ? cause.message : String(cause)}`,
      where: path,
      remedy: 'check permissions, and that it is a plain file or a folder',
    },
    cause,
  );

export const emptyFolder = (path: string, wanted: string, subfolders: readonly string[]) =>
  problem({
    code: 'TRACE_EMPTY_FOLDER',
    what: `the folder has no ${wanted}`,
    where: path,
    remedy: subfolders.length
      ? `name one of its folders: ${subfolders.slice(0, 8).join(', ')}${subfolders.length > 8 ? ', ...' : ''}`
      : 'name the folder the trace was unpacked to',
  });

export const emptyFile = (path: string) =>
  problem({
    code: 'TRACE_EMPTY_FILE',
    what: 'the file has no rows',
    where: `${path}:1`,
    remedy: 'remove the file from the folder, or fetch it again: the download may have failed',
  });

export const missingFile = (path: string, wanted: string) =>
  problem({
    code: 'TRACE_MISSING_FILE',
    what: `${wanted} is missing`,
    where: path,
    remedy: `put ${wanted} next to the other files of the trace`,
  });

export const unknownFormat = (path: string, why: string) =>
  problem({
    code: 'TRACE_UNKNOWN_FORMAT',
    what: `the format cannot be told: ${why}`,
    where: path,
    remedy: `name it with --format (in a scenario: trace.format), one of ${TRACE_FORMATS.join(', ')}`,
  });

export const badOption = (what: string, remedy: string) =>
  problem({ code: 'TRACE_BAD_OPTION', what, remedy });

export const noStatistic = (format: string) =>
  problem({
    code: 'TRACE_NO_STATISTIC',
    what: `the format ${format} has no maximum per interval`,
    remedy: 'leave the statistic at avg; azure, azure-wide and google2019 have both',
  });

export const truncatedGzip = (path: string, line: number) =>
  problem({
    code: 'TRACE_TRUNCATED_GZIP',
    what: 'the gzip stream ends before its end mark: the file is cut short',
    where: `${path}:${line}`,
    remedy: 'fetch the file again, then check it with `gzip -t`',
  });

export const badGzip = (path: string, line: number, cause: unknown) =>
  problem(
    {
      code: 'TRACE_BAD_GZIP',
      what: `the file is no valid gzip (${cause instanceof Error ? cause.message : String(cause)})`,
      where: `${path}:${line}`,
      remedy: 'fetch the file again; if it is plain text, take the .gz off its name',
    },
    cause,
  );

export const lineTooLong = (where: string, limit: number) =>
  problem({
    code: 'TRACE_BAD_ROW',
    what: `the line is longer than ${limit} bytes`,
    where,
    remedy: 'this is not a text trace of one row a line; check the file',
  });

const SEPARATOR_NAMES: Readonly<Record<string, string>> = {
  ',': 'a comma',
  ';': 'a semicolon',
  '\t': 'a tab',
  ' ': 'a space',
  '|': 'a bar',
};

export const badSeparator = (where: string, found: string, wanted: string) =>
  problem({
    code: 'TRACE_BAD_SEPARATOR',
    what: `fields are parted by ${SEPARATOR_NAMES[found] ?? quoted(found)} where the format has ${SEPARATOR_NAMES[wanted] ?? wanted}`,
    where,
    remedy: 'change the separator of the file, or name another format with --format',
  });

export const badRow = (where: string, found: number, wanted: number, text: string) =>
  problem({
    code: 'TRACE_BAD_ROW',
    what: `the row has ${found} ${found === 1 ? 'field' : 'fields'} where ${wanted} belong: ${quoted(text)}`,
    where,
    remedy: 'the line is cut short or damaged: mend or remove it, or fetch the file again',
  });

export const badJson = (where: string, text: string) =>
  problem({
    code: 'TRACE_BAD_ROW',
    what: `the line is no JSON object: ${quoted(text)}`,
    where,
    remedy: 'the line is cut short or damaged: mend or remove it, or fetch the file again',
  });

export const badHeader = (where: string, what: string, wanted: string) =>
  problem({
    code: 'TRACE_BAD_HEADER',
    what,
    where,
    remedy: `the first line must name the columns: ${wanted}`,
  });

export const badNumber = (where: string, column: string, text: string) =>
  problem({
    code: 'TRACE_BAD_NUMBER',
    what: `${column} is ${text === '' ? 'empty' : quoted(text)} where a number belongs`,
    where,
    remedy: 'mend or remove the row; an interval without a measurement is a row left out',
  });

export const notFinite = (where: string, column: string, text: string) =>
  problem({
    code: 'TRACE_NOT_FINITE',
    what: `${column} is ${quoted(text)}`,
    where,
    remedy: 'leave the row out where there is no measurement; the reader then counts a gap',
  });

export const negative = (where: string, column: string, text: string) =>
  problem({
    code: 'TRACE_NEGATIVE',
    what: `${column} is ${text}: usage cannot be negative`,
    where,
    remedy: 'mend or remove the row; if the value marks a missing measurement, leave the row out',
  });

export const tooLarge = (where: string, what: string, value: number, limit: number) =>
  problem({
    code: 'TRACE_BAD_NUMBER',
    what: `${what} is ${value}, above ${limit}: no machine is that large`,
    where,
    remedy: 'check the units of the trace (docs/traces.md), or mend or remove the row',
  });

export const badId = (where: string, column: string) =>
  problem({ code: 'TRACE_BAD_ID', what: `${column} is empty`, where, remedy: 'mend or remove the row' });

export const twoFiles = (path: string, vmId: string) =>
  problem({
    code: 'TRACE_DUPLICATE_VM',
    what: `two files hold VM ${quoted(vmId)}`,
    where: path,
    remedy: 'keep one of them, plain or gzip',
  });

export const badStamp = (where: string, text: string, wanted: string) =>
  problem({
    code: 'TRACE_BAD_TIMESTAMP',
    what: `the time stamp is ${quoted(text)} where ${wanted} belongs`,
    where,
    remedy: 'mend or remove the row',
  });

export const stampOutOfRange = (where: string, vmId: string, limit: number) =>
  problem({
    code: 'TRACE_BAD_TIMESTAMP',
    what: `the time stamp puts VM ${quoted(vmId)} more than ${limit} intervals from its first row`,
    where,
    remedy: 'check the unit of the stamps (docs/traces.md), or take a longer step',
  });

export const zeroCores = (where: string, vmId: string) =>
  problem({
    code: 'TRACE_ZERO_CORES',
    what: `VM ${quoted(vmId)} has 0 cores`,
    where,
    remedy: 'mend the size, or leave the VM out (remove its rows, or name the VMs to keep)',
  });

export const noSuchVm = (path: string, missing: readonly string[]) =>
  problem({
    code: 'TRACE_NO_SUCH_VM',
    what: `the trace has no VM ${missing.slice(0, 3).map(quoted).join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}`,
    where: path,
    remedy: '`trace inspect --json` lists the VMs',
  });

export const noValues = (path: string) =>
  problem({
    code: 'TRACE_NO_VALUES',
    what: 'no VM of the trace has a single valid value',
    where: path,
    remedy: 'check the file and the format named for it',
  });

export const tooShort = (name: string, has: number, wants: number) =>
  problem({
    code: 'TRACE_TOO_SHORT',
    what: `the trace has ${has} intervals where ${wants} are asked for`,
    where: name,
    remedy: `ask for at most ${has} intervals, or take a longer trace`,
  });

export const unknownTask = (where: string, id: string) =>
  problem({
    code: 'TRACE_UNKNOWN_TASK',
    what: `the fragment is of task ${quoted(id)}, which tasks.parquet does not have`,
    where,
    remedy: 'take both files from the same trace',
  });

export const badParquet = (path: string, cause: unknown) =>
  problem(
    {
      code: 'TRACE_BAD_PARQUET',
      what: `the Parquet file cannot be read: ${firstLine(cause)}`,
      where: path,
      remedy: 'fetch the file again; its columns must be those of docs/traces.md',
    },
    cause,
  );

export const badTarget = (path: string, what: string, remedy: string) =>
  problem({ code: 'TRACE_BAD_TARGET', what, where: path, remedy });

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return (text.split('\n')[0] ?? '').slice(0, 200);
}
