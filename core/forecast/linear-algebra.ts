/** Small dense symmetric systems, row-major in one Float64Array; only the lower triangle is read or written. */

/**
 * Cholesky factor of the symmetric positive definite p x p matrix `a`, in place. With `columns` < p only the first
 * columns are made and the rest of `a` becomes the Schur complement: what is left once they are eliminated.
 * @returns false when `a` is not positive definite to working precision; `a` is then spoilt
 */
export function cholesky(a: Float64Array, p: number, columns = p): boolean {
  for (let j = 0; j < columns; j++) {
    const rowJ = j * p;
    const diagonal = a[rowJ + j]!;
    let d = diagonal;
    for (let k = 0; k < j; k++) {
      const v = a[rowJ + k]!;
      d -= v * v;
    }
    if (!(d > 1e-14 * diagonal)) return false;
    const root = Math.sqrt(d);
    a[rowJ + j] = root;
    eliminate(a, p, j, j + 1, j, 1 / root);
  }
  for (let j = columns; j < p; j++) eliminate(a, p, j, j, columns, 1);
  return true;
}

/**
 * Column j of the rows from `first` on: what row j's `n` leading entries leave of it, times `scale`. Four rows at a
 * time, so that four sums wait for each other's additions and not one for its own.
 */
function eliminate(a: Float64Array, p: number, j: number, first: number, n: number, scale: number): void {
  const row = j * p;
  let i = first;
  for (; i + 3 < p; i += 4) {
    const i0 = i * p;
    const i1 = i0 + p;
    const i2 = i1 + p;
    const i3 = i2 + p;
    let s0 = a[i0 + j]!;
    let s1 = a[i1 + j]!;
    let s2 = a[i2 + j]!;
    let s3 = a[i3 + j]!;
    for (let k = 0; k < n; k++) {
      const v = a[row + k]!;
      s0 -= a[i0 + k]! * v;
      s1 -= a[i1 + k]! * v;
      s2 -= a[i2 + k]! * v;
      s3 -= a[i3 + k]! * v;
    }
    a[i0 + j] = s0 * scale;
    a[i1 + j] = s1 * scale;
    a[i2 + j] = s2 * scale;
    a[i3 + j] = s3 * scale;
  }
  for (; i < p; i++) {
    let s = a[i * p + j]!;
    for (let k = 0; k < n; k++) s -= a[i * p + k]! * a[row + k]!;
    a[i * p + j] = s * scale;
  }
}

/** Solves L L' x = b in place, given the factor of `cholesky`. */
export function solveFactored(factor: Float64Array, p: number, b: Float64Array): void {
  for (let i = 0; i < p; i++) {
    let s = b[i]!;
    for (let k = 0; k < i; k++) s -= factor[i * p + k]! * b[k]!;
    b[i] = s / factor[i * p + i]!;
  }
  for (let i = p - 1; i >= 0; i--) {
    let s = b[i]!;
    for (let k = i + 1; k < p; k++) s -= factor[k * p + i]! * b[k]!;
    b[i] = s / factor[i * p + i]!;
  }
}
