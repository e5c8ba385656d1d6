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
  // Dots are resolved by now, so that "/.//evil.example" has become the path "//evil.example": alone it is a host again.
  const path = url.pathname.replace(/^\/+/, '/');
  return /^\/(login|register)(\.html)?$/.test(path) ? '/' : path + url.search + url.hash;
}
