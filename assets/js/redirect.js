// @ts-check
/**
 * Where to go after logging in: a path of this site, whatever the address bar says.
 * Not for: deciding who may see a page; the server does.
 */

/**
 * @param {string | null} next from the address bar
 * @returns {string} path, query and fragment; "/" for an address of another site
 */
export function safeRedirect(next) {
  if (!next || !next.startsWith('/')) return '/';
  /** @type {URL} */
  let url;
  // Only the parser knows what a browser would do: "/\\evil.example" and "//evil.example" are other hosts.
  try { url = new URL(next, location.origin); } catch { return '/'; }
  if (url.origin !== location.origin) return '/';
  const path = url.pathname + url.search + url.hash;
  // The normalized path is what is used, and "/.//evil.example" normalizes to a path that names another host.
  if (path.startsWith('//') || /^\/(login|register)(\.html)?$/.test(url.pathname)) return '/';
  return path;
}
