// @ts-check
/**
 * The widget's style, as a constructed sheet: a strict CSP needs no exception for it.
 * Not for: the shop's own look (css/). A page adapts it by custom properties and ::part().
 *
 * Lengths are px: a page's own size of `html` must not change what a toast looks like, and zoom changes both.
 *
 * Custom properties: --shopbell-surface, --shopbell-ink, --shopbell-muted, --shopbell-line,
 *   --shopbell-accent, --shopbell-accent-soft, --shopbell-inset, --shopbell-radius, --shopbell-font.
 */

const CSS = `
:host {
  --surface: var(--shopbell-surface, #fff);
  --ink: var(--shopbell-ink, #17211d);
  --muted: var(--shopbell-muted, #57635c);
  --line: var(--shopbell-line, rgb(23 33 29 / 12%));
  --accent: var(--shopbell-accent, #0f5b4a);
  --accent-soft: var(--shopbell-accent-soft, #fdf0cd);
  --bell: #7d4b00;
  display: contents;
}
@media (prefers-color-scheme: dark) {
  :host {
    --surface: var(--shopbell-surface, #202b26);
    --ink: var(--shopbell-ink, #eef3ef);
    --muted: var(--shopbell-muted, #aab7af);
    --line: var(--shopbell-line, rgb(255 255 255 / 14%));
    --accent: var(--shopbell-accent, #7ad8b9);
    --accent-soft: var(--shopbell-accent-soft, #3b3315);
    --bell: #f5c451;
  }
}
[role="status"] {
  position: fixed; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
section {
  position: fixed; z-index: 2147483000; inset: auto; margin: 0; border: 0; box-sizing: border-box;
  /* The room around the toasts is padding, so that their shadows show though what is beyond the screen is cut. */
  inset-block-end: 0; inset-inline-start: 0;
  padding: var(--shopbell-inset, 16px);
  padding-block-end: calc(var(--shopbell-inset, 16px) + env(safe-area-inset-bottom, 0px));
  inline-size: min(368px + 2 * var(--shopbell-inset, 16px), 100vw); max-inline-size: 100vw;
  max-block-size: 100dvh; overflow: hidden auto; overscroll-behavior: contain; scrollbar-width: none;
  background: none; color: var(--ink); pointer-events: none;
  font: 400 15px/1.45 var(--shopbell-font, system-ui, sans-serif);
  /* What a page says of its own text reaches through the shadow root. */
  letter-spacing: normal; word-spacing: normal; text-transform: none; text-indent: 0; text-align: start;
  text-shadow: none; white-space: normal; line-break: auto; hyphens: manual;
}
section:focus-visible { outline: 3px solid var(--accent); outline-offset: -6px; border-radius: 20px; }
:host([position$="end"]) section { inset-inline: auto 0; }
:host([position^="top"]) section {
  inset-block: 0 auto;
  padding-block: calc(var(--shopbell-inset, 16px) + env(safe-area-inset-top, 0px)) var(--shopbell-inset, 16px);
}
ol { display: flex; flex-direction: column; gap: 10px; list-style: none; margin: 0; padding: 0; }
:host([position^="top"]) ol { flex-direction: column-reverse; }
li {
  box-sizing: border-box; display: grid; grid-template-columns: auto minmax(0, 1fr) auto; align-items: center;
  column-gap: 12px; padding: 8px 6px 8px 12px; padding-inline: 12px 6px;
  background: var(--surface); border: 1px solid var(--line); border-radius: var(--shopbell-radius, 16px);
  box-shadow: 0 1px 2px rgb(12 24 18 / 10%), 0 12px 32px -8px rgb(12 24 18 / 28%);
  pointer-events: auto; touch-action: pan-y; overflow-wrap: anywhere;
  translate: var(--swipe, 0) 0;
  animation: enter 320ms cubic-bezier(0.2, 0.9, 0.3, 1.1);
  transition: translate 180ms ease-out;
}
li.swiping { transition: none; user-select: none; cursor: grabbing; }
li.leaving { animation: leave 180ms ease-in forwards; }
.badge {
  display: grid; place-items: center; inline-size: 36px; block-size: 36px; border-radius: 50%;
  background: var(--accent-soft); color: var(--bell);
}
/* The picture covers the bell, and leaves it where it does not come. */
.badge { position: relative; overflow: hidden; }
.badge:has(img) { border-radius: 9px; }
img { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; object-fit: cover; }
.own .badge { background: var(--accent); color: var(--surface); }
svg {
  inline-size: 20px; block-size: 20px; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linecap: round; stroke-linejoin: round;
}
p {
  /* Two lines at most: three toasts with the longest names fit a small phone. */
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden;
  margin: 0; max-block-size: 2lh; word-break: keep-all;
}
/* A name that is written the other way leaves the sentence around it as it is. */
strong, .goods { unicode-bidi: isolate; }
.goods { font-weight: 600; }
.joined { white-space: nowrap; }
strong { font-weight: 650; }
a {
  color: var(--accent); text-decoration: underline;
  text-decoration-thickness: 1px; text-underline-offset: 0.2em;
}
a:hover { text-decoration-thickness: 2px; }
time { display: block; color: var(--muted); font-size: 13px; }
button {
  display: grid; place-items: center; inline-size: 44px; block-size: 44px; padding: 0; border: 0;
  border-radius: 50%; background: none; color: var(--muted); cursor: pointer;
}
button svg { inline-size: 18px; block-size: 18px; }
button:hover { background: color-mix(in srgb, var(--ink) 8%, transparent); color: var(--ink); }
a:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: -1px; border-radius: 8px; }
button:focus-visible { border-radius: 50%; outline-offset: -3px; }
@keyframes enter { from { opacity: 0; transform: translateY(12px) scale(0.96); } }
@keyframes leave { to { opacity: 0; transform: scale(0.96); } }
@media (prefers-reduced-motion: reduce) {
  li, li.leaving { animation: none; transition: none; }
}
@media (forced-colors: active) {
  li { border: 2px solid CanvasText; }
  .badge, .own .badge { border: 1px solid CanvasText; background: Canvas; color: CanvasText; }
  a { color: LinkText; }
}
@media print { section { display: none !important; } }
`;

/** @type {CSSStyleSheet | undefined} */
let shared;

/**
 * One style sheet for all widgets of a page, made with the first of them.
 * @returns {CSSStyleSheet}
 */
export function styleSheet() {
  if (!shared) {
    shared = new CSSStyleSheet();
    shared.replaceSync(CSS);
  }
  return shared;
}
