/**
 * Of values that rise, the one from which on they rise steeply: where they lie farthest below the straight line from the first to the last, both ways counted as shares of the whole (V. Satopää et al., "Finding a Kneedle in a Haystack",
 * ICDCS Workshops 2011). Of the distances of points from their k-th neighbours it is DBSCAN's `eps` (M. Ester et al., KDD 1996, section 4.2: the first valley of the sorted k-distance graph). The first where none rises.
 */
export function kneeOf(rising: Float32Array): number {
  const n = rising.length;
  const [first, last] = [rising[0] ?? 0, rising[n - 1] ?? 0];
  let [knee, most] = [first, 0];
  for (let at = 0; at < n; at++) {
    const below = at / (n - 1) - (rising[at]! - first) / (last - first);
    if (below > most) [knee, most] = [rising[at]!, below];
  }
  return knee;
}
