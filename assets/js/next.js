/**
 * Where to go after logging in: a path of this site, whatever the address bar says.
 * Not for: deciding who may see a page; the server does.
 */

/** @param {string | null} next @returns {string} a path with query, "/" if it isn't ours */
export function safeNext(next) {
  if (!next || !next.startsWith('/')) return '/';
  let url;
  // The parser's own reading counts: "/\\evil.example" and "//evil.example" are other hosts.
  try { url = new URL(next, location.origin); } catch { return '/'; }
  if (url.origin !== location.origin) return '/';
  return /^\/(login|register)(\.html)?$/.test(url.pathname) ? '/' : url.pathname + url.search + url.hash;
}
