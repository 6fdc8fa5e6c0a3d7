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
    const inverse = 1 / root;
    a[rowJ + j] = root;
    for (let i = j + 1; i < p; i++) {
      const rowI = i * p;
      let s = a[rowI + j]!;
      for (let k = 0; k < j; k++) s -= a[rowI + k]! * a[rowJ + k]!;
      a[rowI + j] = s * inverse;
    }
  }
  for (let i = columns; i < p; i++) {
    for (let j = columns; j <= i; j++) {
      let s = a[i * p + j]!;
      for (let k = 0; k < columns; k++) s -= a[i * p + k]! * a[j * p + k]!;
      a[i * p + j] = s;
    }
  }
  return true;
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
