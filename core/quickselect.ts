/**
 * The element that would stand at `rank` (0-based) if a[0..n) were sorted; reorders a. Hoare's selection with a
 * median of three, expected 2n comparisons.
 */
export function quickselect(a: Float32Array | Float64Array, n: number, rank: number): number {
  let low = 0;
  let high = n - 1;
  while (low < high) {
    const x = a[low]!;
    const y = a[(low + high) >> 1]!;
    const z = a[high]!;
    const pivot = x < y ? (y < z ? y : Math.max(x, z)) : x < z ? x : Math.max(y, z);
    let i = low;
    let j = high;
    while (i <= j) {
      while (a[i]! < pivot) i++;
      while (a[j]! > pivot) j--;
      if (i <= j) {
        const t = a[i]!;
        a[i] = a[j]!;
        a[j] = t;
        i++;
        j--;
      }
    }
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else break;
  }
  return a[rank]!;
}
