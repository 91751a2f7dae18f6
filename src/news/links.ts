/** Parameters that say where a reader came from, not what is read. */
const TRACKING = /^(?:utm_\w+|at_\w+|ns_\w+|xtor|traffic_source|cid|iref|ref|ref_src|cmpid|ocid|smid|fbclid|gclid|mc_cid|mc_eid|source|partner|rss|feedtype)$/i;

/**
 * What tells articles apart: the link without its scheme, `www.`, fragment, trackers and trailing slash, the parameters in order. `https://www.bbc.com/news/articles/c1?at_medium=RSS` and
 * `http://bbc.com/news/articles/c1/` are one.
 */
export function linkKey(address: string): string {
  const url = new URL(address);
  const kept = [...url.searchParams].filter(([name]) => !TRACKING.test(name)).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const query = new URLSearchParams(kept).toString();
  const path = url.pathname.replace(/\/(?:index\.html?)?$/, '').replace(/\/{2,}/g, '/');
  return `${url.host.replace(/^(?:www|m|amp)\./, '')}${path}${query && `?${query}`}`;
}

/** The link as it is shown and opened: without trackers. */
export function cleanLink(address: string): string {
  const url = new URL(address);
  for (const name of new Set(url.searchParams.keys())) if (TRACKING.test(name)) url.searchParams.delete(name);
  url.hash = '';
  return url.href;
}
