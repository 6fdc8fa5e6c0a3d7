/**
 * Decimal numbers straight from bytes. Most numbers of a trace have at most 15 digits and a small power of ten:
 * then digits / 10^k is one correctly rounded division (Clinger 1990, "How to read floating point numbers
 * accurately"). Anything longer goes through `Number`, so every result is the nearest double.
 *
 * @returns NaN where `[start, end)` is no plain decimal: `NaN`, `Infinity`, hexadecimal and text all are NaN
 */
export function parseNumber(bytes: Buffer, start: number, end: number): number {
  let at = start;
  let sign = 1;
  const first = bytes[at];
  if (first === 45 || first === 43) {
    if (first === 45) sign = -1;
    at++;
  }
  let mantissa = 0;
  let digits = 0;
  let decimals = 0;
  let point = false;
  for (; at < end; at++) {
    const c = bytes[at]!;
    if (c >= 48 && c <= 57) {
      mantissa = mantissa * 10 + (c - 48);
      digits++;
      if (point) decimals++;
    } else if (c === 46 && !point) {
      point = true;
    } else {
      return digits > 0 && (c === 101 || c === 69) ? withExponent(bytes, start, end, at) : Number.NaN;
    }
  }
  if (digits === 0) return Number.NaN;
  if (digits <= 15) return (sign * mantissa) / POWERS[decimals]!;
  return finite(bytes, start, end);
}

const POWERS = Array.from({ length: 16 }, (_, k) => Number(`1e${k}`));

function withExponent(bytes: Buffer, start: number, end: number, e: number): number {
  let at = e + 1;
  if (bytes[at] === 45 || bytes[at] === 43) at++;
  if (at >= end) return Number.NaN;
  for (; at < end; at++) {
    const c = bytes[at]!;
    if (c < 48 || c > 57) return Number.NaN;
  }
  return finite(bytes, start, end);
}

function finite(bytes: Buffer, start: number, end: number): number {
  const value = Number(bytes.toString('latin1', start, end));
  return Number.isFinite(value) ? value : Number.NaN;
}
