/** How well two clusterings of the same points agree. */
interface Table {
  cells: Map<string, number>;
  rows: Map<number, number>;
  columns: Map<number, number>;
  n: number;
}

function tabulate(a: ArrayLike<number>, b: ArrayLike<number>): Table {
  const table: Table = { cells: new Map(), rows: new Map(), columns: new Map(), n: a.length };
  for (let i = 0; i < a.length; i++) {
    const key = `${a[i]} ${b[i]}`;
    table.cells.set(key, (table.cells.get(key) ?? 0) + 1);
    table.rows.set(a[i]!, (table.rows.get(a[i]!) ?? 0) + 1);
    table.columns.set(b[i]!, (table.columns.get(b[i]!) ?? 0) + 1);
  }
  return table;
}

const pairs = (count: number): number => (count * (count - 1)) / 2;
const sum = (values: Iterable<number>, of: (value: number) => number): number => [...values].reduce((total, value) => total + of(value), 0);

/** The adjusted Rand index (L. Hubert, P. Arabie, 1985): 1 for the same clusters, about 0 for chance. */
export function adjustedRand(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const { cells, rows, columns, n } = tabulate(a, b);
  const [both, inA, inB] = [sum(cells.values(), pairs), sum(rows.values(), pairs), sum(columns.values(), pairs)];
  const expected = n > 1 ? (inA * inB) / pairs(n) : 0;
  const most = (inA + inB) / 2;
  return most === expected ? 1 : (both - expected) / (most - expected);
}

/** Normalised mutual information, by the arithmetic mean of the entropies: 1 for the same clusters, 0 for independent ones. */
export function mutualInformation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const { cells, rows, columns, n } = tabulate(a, b);
  const entropy = (counts: Map<number, number>): number => -sum(counts.values(), (count) => (count / n) * Math.log(count / n));
  let information = 0;
  for (const [key, count] of cells) {
    const [row, column] = key.split(' ').map(Number) as [number, number];
    information += (count / n) * Math.log((count * n) / (rows.get(row)! * columns.get(column)!));
  }
  const mean = (entropy(rows) + entropy(columns)) / 2;
  return mean === 0 ? 1 : information / mean;
}
