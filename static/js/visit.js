/**
 * How this visit came about: first and last touch, and the articles read. Kept for the visit in sessionStorage, sent
 * only with the consultation form, and named in its notice; a check that begins gets the kind of place and the last
 * article, and no more.
 */

const KEY = "xinheng.visit";
const MARKS = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];
const MOST_READ = 20;

/** The visit so far; empty where the browser keeps nothing. */
export function visit() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function keep(data) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(data));
  } catch {
    // private windows of old browsers: the form works without it
  }
}

/** Note this page as the first touch of a visit, or as the last one where it came from outside. */
export function rememberVisit() {
  const query = new URLSearchParams(location.search);
  const utm = Object.fromEntries(MARKS.filter((mark) => query.get(mark)).map((mark) => [mark, query.get(mark)]));
  const host = hostOf(document.referrer);
  const outside = Boolean(host) && host !== location.host;
  const data = visit();
  const touch = { host: outside ? host : "", path: location.pathname, utm };
  if (!data.first) data.first = touch;
  if (!data.last || outside || Object.keys(utm).length) data.last = touch;
  keep(data);
}

/** Note an article as read in this visit. */
export function rememberRead(slug) {
  const data = visit();
  data.read = [slug, ...(data.read ?? []).filter((other) => other !== slug)].slice(0, MOST_READ);
  keep(data);
}

/** What goes into the form's hidden field. */
export function touchField() {
  const { first, last, read } = visit();
  return JSON.stringify({ page: location.pathname, first, last, read });
}

/** The kind of place this visit came from, by patterns of hosts, and the article read last. */
export function originOf(patterns) {
  const { first, read } = visit();
  const host = (first?.host ?? "").replace(/:\d+$/, "").toLowerCase();
  const known = ["search", "social"].find((kind) => new RegExp(patterns[kind]).test(host));
  return { source: host ? (known ?? "other") : "direct", article: read?.[0] ?? "" };
}

/** The host of an address, or nothing. */
export function hostOf(address) {
  try {
    return new URL(address).host;
  } catch {
    return "";
  }
}
