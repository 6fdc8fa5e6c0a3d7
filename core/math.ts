/**
 * Elementary functions from +, -, *, / and sqrt alone. IEEE 754 fixes those five, but not Math.exp and its
 * kin: V8 changed some between releases, and a decision log must be the same byte for byte on every Node.
 * Each is good to about 1 ulp over the range used here; test/core/math.test.ts holds them to 1e-14.
 */

const bits = new DataView(new ArrayBuffer(8));
const LN2_HI = 0.69314718036912381649;
const LN2_LO = 1.90821492927058770002e-10;
const LN2 = Math.LN2;

/** e^x. 0 below -745, Infinity above 709.78. */
export function exp(x: number): number {
  if (!(x > -745.2)) return Number.isNaN(x) ? x : 0;
  if (x > 709.78) return Number.POSITIVE_INFINITY;
  const k = Math.round(x / LN2);
  const r = x - k * LN2_HI - k * LN2_LO;
  let term = 1;
  let sum = 1;
  for (let n = 1; n <= 14; n++) {
    term *= r / n;
    sum += term;
  }
  return k > -1000 ? sum * powerOfTwo(k) : sum * powerOfTwo(k + 100) * powerOfTwo(-100);
}

/** Natural logarithm; -Infinity at 0, NaN below. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  let k = 0;
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984; // 2^54: lift subnormals
    k = -54;
  }
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  k += ((high >>> 20) & 0x7ff) - 1023;
  bits.setUint32(0, (high & 0x000fffff) | 0x3ff00000);
  let m = bits.getFloat64(0);
  if (m > Math.SQRT2) {
    m *= 0.5;
    k += 1;
  }
  // log m = 2 atanh((m - 1) / (m + 1)); |f| <= 0.172, so the series ends at f^23.
  const f = (m - 1) / (m + 1);
  const f2 = f * f;
  let s = 1 / 23;
  for (let n = 21; n >= 3; n -= 2) s = s * f2 + 1 / n;
  return k * LN2_HI + (k * LN2_LO + 2 * f * f2 * s + 2 * f);
}

/** base^exponent for base > 0. */
export function pow(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  if (base === 0) return exponent > 0 ? 0 : Number.POSITIVE_INFINITY;
  if (Number.isInteger(exponent) && Math.abs(exponent) <= 64) {
    let result = 1;
    let b = exponent < 0 ? 1 / base : base;
    for (let n = Math.abs(exponent); n > 0; n = n >>> 1) {
      if (n & 1) result *= b;
      b *= b;
    }
    return result;
  }
  return exp(exponent * log(base));
}

/** 2^x: the decay of an exponentially weighted measure. */
export function exp2(x: number): number {
  const k = Math.round(x);
  return x === k && k > -1000 && k < 1000 ? powerOfTwo(k) : exp(x * LN2);
}

/** sin(2 pi x): the argument in turns, so that calendar phases need no pi. */
export function sinTurns(x: number): number {
  return cosTurns(x - 0.25);
}

/** cos(2 pi x). */
export function cosTurns(x: number): number {
  let t = x - Math.floor(x);
  if (t > 0.5) t = 1 - t;
  const negative = t > 0.25;
  if (negative) t = 0.5 - t;
  // 0 <= t <= 0.25: cosine below an eighth of a turn, sine of the complement above.
  const value = t <= 0.125 ? cosSeries(t * 2 * Math.PI) : sinSeries((0.25 - t) * 2 * Math.PI);
  return negative ? -value : value;
}

function cosSeries(a: number): number {
  const a2 = a * a;
  let term = 1;
  let sum = 1;
  for (let n = 2; n <= 20; n += 2) {
    term *= -a2 / (n * (n - 1));
    sum += term;
  }
  return sum;
}

function sinSeries(a: number): number {
  const a2 = a * a;
  let term = a;
  let sum = a;
  for (let n = 3; n <= 21; n += 2) {
    term *= -a2 / (n * (n - 1));
    sum += term;
  }
  return sum;
}

function powerOfTwo(k: number): number {
  if (k > 1023) return powerOfTwo(1023) * powerOfTwo(k - 1023);
  bits.setUint32(0, (k + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/** Quantile function of the standard normal distribution (Wichura 1988, AS 241, PPND16). */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1))
    return p === 0 ? Number.NEGATIVE_INFINITY : p === 1 ? Number.POSITIVE_INFINITY : Number.NaN;
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * horner(A, r)) / horner(B, r);
  }
  let r = Math.sqrt(-log(q < 0 ? p : 1 - p));
  let z: number;
  if (r <= 5) {
    r -= 1.6;
    z = horner(C, r) / horner(D, r);
  } else {
    r -= 5;
    z = horner(E, r) / horner(F, r);
  }
  return q < 0 ? -z : z;
}

function horner(c: readonly number[], x: number): number {
  let s = 0;
  for (let i = c.length - 1; i >= 0; i--) s = s * x + c[i]!;
  return s;
}

const A = [
  3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
  45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727,
];
const B = [
  1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
  39307.89580009271061, 28729.085735721942674, 5226.495278852545925,
];
const C = [
  1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
  1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4,
];
const D = [
  1, 2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
  0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9,
];
const E = [
  6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
  0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
];
const F = [
  1, 0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
  1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15,
];
