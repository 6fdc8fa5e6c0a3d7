/**
 * Just enough of a WebAssembly assembler to write numeric kernels by hand: 32-bit integers for addresses,
 * `v128` for four 32-bit floats (WebAssembly core specification 2.0, chapter 5, binary format).
 */

/** Instructions as nested bytes; flattened when the module is made. */
export type Code = number | readonly Code[];

export const I32 = 0x7f;
export const V128 = 0x7b;

export interface KernelFunction {
  readonly name: string;
  /** Number of i32 parameters; they are locals 0..parameters-1. */
  readonly parameters: number;
  /** Types of the further locals, in order. */
  readonly locals: readonly number[];
  readonly body: Code;
}

/** Bytes of a module that imports its memory as `env.memory` and exports every function by name. */
export function assemble(functions: readonly KernelFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map((f) => [0x60, vector(new Array<Code>(f.parameters).fill(I32)), 0]);
  const bodies = functions.map((f) => {
    const code = flatten([vector(f.locals.map((type) => [1, type])), f.body, 0x0b]);
    return [unsigned(code.length), code];
  });
  return Uint8Array.from(
    flatten([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, vector(types)),
      section(2, vector([[text('env'), text('memory'), 0x02, 0x00, unsigned(1)]])),
      section(3, vector(functions.map((_, i) => unsigned(i)))),
      section(7, vector(functions.map((f, i) => [text(f.name), 0x00, unsigned(i)]))),
      section(10, vector(bodies)),
    ]),
  );
}

export const get = (local: number): Code => [0x20, unsigned(local)];
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)];

export const int = (value: number): Code => [0x41, signed(value)];
export const add = (a: Code, b: Code): Code => [a, b, 0x6a];
export const sub = (a: Code, b: Code): Code => [a, b, 0x6b];
export const shiftLeft = (a: Code, bits: number): Code => [a, int(bits), 0x74];
/** local += value */
export const advance = (local: number, value: Code): Code => set(local, add(get(local), value));

/** Runs `body` while `local` >= `least` (signed), taking `least` off it each time. */
export const countDown = (local: number, least: number, body: Code): Code => [
  [0x02, 0x40],
  [0x03, 0x40],
  [get(local), int(least), 0x48, 0x0d, 1],
  body,
  set(local, sub(get(local), int(least))),
  [0x0c, 0],
  [0x0b, 0x0b],
];

const simd = (opcode: number): Code => [0xfd, unsigned(opcode)];
const memory = (opcode: number, offset: number, align: number): Code => [
  simd(opcode),
  align,
  unsigned(offset),
];

export const load = (address: Code, offset = 0): Code => [address, memory(0, offset, 2)];
/** Loads one float into all four lanes. */
export const loadSplat = (address: Code, offset = 0): Code => [address, memory(9, offset, 2)];
export const store = (address: Code, value: Code, offset = 0): Code => [
  address,
  value,
  memory(11, offset, 2),
];
const and = (a: Code, b: Code): Code => [a, b, simd(78)];
/** The value of a local, 0 where it is NaN. */
export const known = (local: number): Code => and(get(local), [get(local), get(local), simd(0x41)]);
/** Stores the first lane. */
export const storeLane = (address: Code, value: Code, offset = 0): Code => [
  address,
  value,
  memory(90, offset, 2),
  0,
];
/** Every lane becomes the sum of all four. */
export const sumLanes = (local: number): Code =>
  [2, 1].map((distance) => {
    const bytes = Array.from({ length: 16 }, (_, i) => 4 * ((Math.floor(i / 4) + distance) % 4) + (i % 4));
    return set(local, fadd(get(local), [get(local), get(local), simd(13), bytes]));
  });
export const splat = (value: number): Code => {
  const bytes = new Uint8Array(Float32Array.of(value, value, value, value).buffer);
  return [simd(12), [...bytes]];
};
const splatInt = (value: number): Code => [
  simd(12),
  [...new Uint8Array(Int32Array.of(value, value, value, value).buffer)],
];
export const fadd = (a: Code, b: Code): Code => [a, b, simd(0xe4)];
export const fsub = (a: Code, b: Code): Code => [a, b, simd(0xe5)];
export const fmul = (a: Code, b: Code): Code => [a, b, simd(0xe6)];
export const fdiv = (a: Code, b: Code): Code => [a, b, simd(0xe7)];
export const fsqrt = (a: Code): Code => [a, simd(0xe3)];
export const fmin = (a: Code, b: Code): Code => [a, b, simd(0xe8)];
export const fmax = (a: Code, b: Code): Code => [a, b, simd(0xe9)];
export const nearest = (a: Code): Code => [a, simd(0x6a)];
/** 2^n for each lane's whole number n in -126..127. */
export const powerOfTwo = (n: Code): Code => [
  [n, simd(0xf8)],
  splatInt(127),
  simd(0xae),
  [int(23), simd(0xab)],
];

function section(id: number, content: Code): Code {
  const bytes = flatten(content);
  return [id, unsigned(bytes.length), bytes];
}

function vector(items: readonly Code[]): Code {
  return [unsigned(items.length), items];
}

function text(value: string): Code {
  return vector([...value].map((c) => c.charCodeAt(0)));
}

function unsigned(value: number): Code {
  const bytes: number[] = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value ? low | 0x80 : low);
  } while (value);
  return bytes;
}

function signed(value: number): Code {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    if ((value === 0 && !(low & 0x40)) || (value === -1 && low & 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

function flatten(code: Code, out: number[] = []): number[] {
  if (typeof code === 'number') out.push(code);
  else for (const part of code) flatten(part, out);
  return out;
}
