import { exp, log } from '../../core/math.ts';

/** Distribution function of the standard normal: Marsaglia's series (2004), a continued fraction in the tails. */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  if (a > 38) return x < 0 ? 0 : 1;
  const density = exp(-0.5 * x * x - 0.9189385332046727418); // log sqrt(2 pi)
  if (a < 5) {
    let term = x;
    let sum = x;
    for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
      term *= (x * x) / n;
      sum += term;
    }
    return 0.5 + density * sum;
  }
  let fraction = a;
  for (let k = 60; k >= 1; k--) fraction = a + k / fraction;
  return x < 0 ? density / fraction : 1 - density / fraction;
}

/** P(|T| > |t|) of Student's t with a whole number of degrees of freedom: I_x(df/2, 1/2), x = df / (df + t^2). */
export function studentTwoSided(t: number, df: number): number {
  if (t === 0) return 1;
  const t2 = t * t;
  if (t2 === Number.POSITIVE_INFINITY) return 0;
  const a = df / 2;
  // 1 / B(a, 1/2) = Gamma(a + 1/2) / (Gamma(a) sqrt(pi)), by its recurrence in df.
  let inverseBeta = df % 2 === 1 ? 1 / Math.PI : 0.5;
  for (let k = df % 2 === 1 ? 1 : 2; k < df; k += 2) inverseBeta *= (k + 1) / k;
  const x = df / (df + t2);
  const y = t2 / (df + t2);
  const front = exp(a * log(x)) * Math.sqrt(y) * inverseBeta;
  return x < (a + 1) / (a + 2.5)
    ? (front * betaFraction(x, a, 0.5)) / a
    : 1 - (front * betaFraction(y, 0.5, a)) / 0.5;
}

/** The t with P(T <= t) = p, for p in (0, 1). */
export function studentQuantile(p: number, df: number): number {
  if (p === 0.5) return 0;
  const tail = 2 * Math.min(p, 1 - p);
  let low = 0;
  let high = 1;
  while (studentTwoSided(high, df) > tail) high *= 2;
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (studentTwoSided(middle, df) > tail) low = middle;
    else high = middle;
  }
  return p < 0.5 ? -high : high;
}

/** Continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let result = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    for (const coefficient of [even, odd]) {
      d = 1 + coefficient * d;
      d = 1 / (Math.abs(d) < tiny ? tiny : d);
      c = 1 + coefficient / c;
      if (Math.abs(c) < tiny) c = tiny;
      result *= c * d;
    }
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return result;
}
