/**
 * Numbers as text, bit for bit: base64 of little-endian floats, of 32 bits where that loses nothing and else of 64. Three
 * to five times shorter than JSON numbers, and NaN is kept.
 */
export function encodeFloats(values: ArrayLike<number>): string {
  let narrow = true;
  for (let k = 0; k < values.length && narrow; k++) narrow = Object.is(Math.fround(values[k]!), values[k]!);
  const size = narrow ? 4 : 8;
  const view = new DataView(new ArrayBuffer(values.length * size));
  for (let k = 0; k < values.length; k++) {
    if (narrow) view.setFloat32(k * 4, values[k]!, true);
    else view.setFloat64(k * 8, values[k]!, true);
  }
  const bytes = new Uint8Array(view.buffer);
  let binary = '';
  for (let k = 0; k < bytes.length; k += 8192) {
    binary += String.fromCharCode(...bytes.subarray(k, k + 8192));
  }
  return `${narrow ? 'f' : 'd'}${btoa(binary)}`;
}

/**
 * What `encodeFloats` encoded.
 * @param length numbers there must be
 * @throws RangeError when the text is anything else
 */
export function decodeFloats(text: unknown, length: number): Float64Array {
  if (typeof text !== 'string') throw new RangeError('encoded numbers are missing');
  const size = text[0] === 'f' ? 4 : text[0] === 'd' ? 8 : 0;
  const binary = atob(text.slice(1));
  if (size === 0 || binary.length !== length * size) {
    throw new RangeError(`${binary.length} bytes do not hold ${length} numbers`);
  }
  const view = new DataView(new ArrayBuffer(binary.length));
  for (let k = 0; k < binary.length; k++) view.setUint8(k, binary.charCodeAt(k));
  const out = new Float64Array(length);
  for (let k = 0; k < length; k++) {
    out[k] = size === 4 ? view.getFloat32(k * 4, true) : view.getFloat64(k * 8, true);
  }
  return out;
}

export type Columns = Float64Array | Float32Array | Int32Array | Uint8Array;

/** Several columns as one text. */
export function pack(columns: readonly Columns[]): string {
  const length = columns.reduce((sum, column) => sum + column.length, 0);
  const all = new Float64Array(length);
  let at = 0;
  for (const column of columns) {
    all.set(column, at);
    at += column.length;
  }
  return encodeFloats(all);
}

/**
 * Puts back what `pack` took from columns of the same lengths.
 * @throws RangeError when the text holds anything else
 */
export function unpack(text: unknown, columns: readonly Columns[]): void {
  const length = columns.reduce((sum, column) => sum + column.length, 0);
  const all = decodeFloats(text, length);
  let at = 0;
  for (const column of columns) {
    column.set(all.subarray(at, at + column.length));
    at += column.length;
  }
}
