/** Stretches this short are sorted at once. */
const SHORT = 12;

/**
 * Moves the numbers of the given ranks to where sorting values[from..to] would put them (Hoare 1961, for many ranks at
 * once). Seven quantiles need less than half the order that sorting makes.
 * @param ranks ascending, of which those from index `first` to `last` lie in the stretch
 */
export function select(
  values: Float64Array,
  from: number,
  to: number,
  ranks: Int32Array,
  first: number,
  last: number,
): void {
  while (first <= last) {
    if (to - from < SHORT) {
      insertionSort(values, from, to);
      return;
    }
    const pivot = median(values[from]!, values[(from + to) >> 1]!, values[to]!);
    let [i, j] = [from, to];
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const value = values[i]!;
      values[i++] = values[j]!;
      values[j--] = value;
    }
    // Between j and i lies at most the pivot, where it belongs.
    let split = first;
    while (split <= last && ranks[split]! <= j) split++;
    select(values, from, j, ranks, first, split - 1);
    first = split;
    while (first <= last && ranks[first]! < i) first++;
    from = i;
  }
}

function insertionSort(values: Float64Array, from: number, to: number): void {
  for (let i = from + 1; i <= to; i++) {
    const value = values[i]!;
    let at = i;
    for (; at > from && values[at - 1]! > value; at--) values[at] = values[at - 1]!;
    values[at] = value;
  }
}

function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
