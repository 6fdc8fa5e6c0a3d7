import type { TraceFile } from './files.ts';
import { parseNumber } from './numbers.ts';
import { badId, badNumber, badRow, badSeparator, badStamp, negative, notFinite, quoted } from './problems.ts';
import type { VmSamples } from './samples.ts';

const SPACE = 32;
const TAB = 9;
const QUOTE = 34;
const DASH = 45;
/** What a file may have been written with instead of its format's separator. */
const SEPARATORS = [',', ';', '\t', '|', ' '] as const;

/** One line of a delimited text file, as byte ranges of its fields: reused line by line, so nothing is allocated. */
export class Row {
  readonly file: TraceFile;
  count = 0;
  readonly #separator: number;
  readonly #quotes: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #line = 0;
  #starts = new Int32Array(16);
  #ends = new Int32Array(16);

  /**
   * @param separator one character; a space stands for any run of spaces and tabs
   * @param quotes whether a field may be in double quotes, as in RFC 4180 (but within one line)
   */
  constructor(file: TraceFile, separator: string, quotes = false) {
    this.file = file;
    this.#separator = separator.charCodeAt(0);
    this.#quotes = quotes;
  }

  /** `path:line`, for errors and reports. */
  get where(): string {
    return `${this.file.path}:${this.#line}`;
  }

  /** Takes the next line. Spaces and tabs around a field are not part of it. Returns false on a blank line. */
  set(bytes: Buffer, start: number, end: number, line: number): boolean {
    this.#bytes = bytes;
    this.#line = line;
    while (start < end && isBlank(bytes[start]!)) start++;
    while (end > start && isBlank(bytes[end - 1]!)) end--;
    this.#start = start;
    this.#end = end;
    this.count = 0;
    if (start === end) return false;
    if (this.#separator === SPACE) this.#splitAtBlanks(start, end);
    else this.#split(start, end);
    return true;
  }

  #split(start: number, end: number): void {
    const bytes = this.#bytes;
    const separator = this.#separator;
    let from = start;
    let quoted = false;
    for (let at = start; at <= end; at++) {
      if (at < end) {
        const c = bytes[at];
        if (c === QUOTE && this.#quotes) quoted = !quoted;
        if (c !== separator || quoted) continue;
      }
      let to = at;
      while (from < to && isBlank(bytes[from]!)) from++;
      while (to > from && isBlank(bytes[to - 1]!)) to--;
      if (this.#quotes && to - from >= 2 && bytes[from] === QUOTE && bytes[to - 1] === QUOTE) {
        from++;
        to--;
      }
      this.#push(from, to);
      from = at + 1;
    }
  }

  #splitAtBlanks(start: number, end: number): void {
    const bytes = this.#bytes;
    let from = start;
    while (from < end) {
      let at = from;
      while (at < end && !isBlank(bytes[at]!)) at++;
      this.#push(from, at);
      while (at < end && isBlank(bytes[at]!)) at++;
      from = at;
    }
  }

  #push(start: number, end: number): void {
    if (this.count === this.#starts.length) {
      const starts = new Int32Array(this.count * 2);
      const ends = new Int32Array(this.count * 2);
      starts.set(this.#starts);
      ends.set(this.#ends);
      this.#starts = starts;
      this.#ends = ends;
    }
    this.#starts[this.count] = start;
    this.#ends[this.count++] = end;
  }

  /** The whole line as text. */
  get text(): string {
    return this.#bytes.toString('utf8', this.#start, this.#end);
  }

  field(i: number): string {
    const text = this.#bytes.toString('utf8', this.#starts[i]!, this.#ends[i]!);
    return this.#quotes && text.includes('""') ? text.replaceAll('""', '"') : text;
  }

  /** Field `i` as the name of something: not empty. */
  id(i: number, column: string): string {
    if (this.isEmpty(i)) throw badId(this.where, column);
    return this.field(i);
  }

  isEmpty(i: number): boolean {
    return this.#starts[i] === this.#ends[i];
  }

  /** Whether field `i` begins like a date: a `-` after a year of four digits. */
  isDate(i: number): boolean {
    const at = this.#starts[i]! + 4;
    return at < this.#ends[i]! && this.#bytes[at] === DASH;
  }

  /** Insists on `wanted` fields, and says which separator the line has in truth where it is another. */
  expect(wanted: number): void {
    if (this.count !== wanted) throw this.wrongCount(wanted);
  }

  wrongCount(wanted: number): Error {
    const text = this.text;
    const own = String.fromCharCode(this.#separator);
    for (const other of SEPARATORS) {
      if (other === own || this.count >= wanted) continue;
      const parts = other === ' ' ? text.split(/\s+/) : text.split(other);
      if (parts.length === wanted && wanted > 1) return badSeparator(this.where, other, own);
    }
    return badRow(this.where, this.count, wanted, text);
  }

  /** Field `i` as a finite number. */
  number(i: number, column: string): number {
    const value = parseNumber(this.#bytes, this.#starts[i]!, this.#ends[i]!);
    if (Number.isNaN(value)) throw this.#notANumber(i, column);
    return value;
  }

  #notANumber(i: number, column: string): Error {
    const text = this.field(i);
    return /^[+-]?(nan|inf|infinity)$/i.test(text)
      ? notFinite(this.where, column, text)
      : badNumber(this.where, column, text);
  }

  /** Field `i` as a time: a whole number >= 0 of a unit, given in ms. */
  time(i: number, unitMs: number, wanted: string): number {
    const value = parseNumber(this.#bytes, this.#starts[i]!, this.#ends[i]!);
    if (!(value >= 0) || value * unitMs > Number.MAX_SAFE_INTEGER) {
      throw badStamp(this.where, this.field(i), wanted);
    }
    return value * unitMs;
  }

  /** Field `i` as a usage: finite and >= 0; NaN, and counted as invalid, when it is empty. */
  usage(i: number, column: string, vm: VmSamples): number {
    if (this.isEmpty(i)) {
      vm.sawInvalid(`${this.where}: ${column} is empty`);
      return Number.NaN;
    }
    const value = this.number(i, column);
    if (value < 0) throw negative(this.where, column, this.field(i));
    return value;
  }

  /** As `usage`, where an empty field is how the format says that there is no value: not counted. */
  optional(i: number, column: string, vm: VmSamples): number {
    return this.isEmpty(i) ? Number.NaN : this.usage(i, column, vm);
  }

  /** As `usage`, where -1 and 101 say "not measured" (Alibaba 2018). */
  marked(i: number, column: string, vm: VmSamples): number {
    if (this.isEmpty(i)) return this.usage(i, column, vm);
    const value = this.number(i, column);
    if (value === -1 || value === 101) {
      vm.sawInvalid(`${this.where}: ${column} is ${quoted(this.field(i))}`);
      return Number.NaN;
    }
    if (value < 0) throw negative(this.where, column, this.field(i));
    return value;
  }
}

function isBlank(c: number): boolean {
  return c === SPACE || c === TAB;
}
