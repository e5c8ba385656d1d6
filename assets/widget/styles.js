// @ts-check
/**
 * The widget's style, as a constructed sheet: a strict CSP needs no exception for it.
 * Not for: the shop's own look (css/). A page adapts it by custom properties and ::part().
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
  position: fixed; z-index: 2147483000; inset: auto; margin: 0; padding: 0; border: 0;
  inset-block-end: calc(var(--shopbell-inset, 1rem) + env(safe-area-inset-bottom, 0px));
  inset-inline-start: var(--shopbell-inset, 1rem);
  inline-size: min(23rem, calc(100vw - 2 * var(--shopbell-inset, 1rem)));
  max-block-size: calc(100dvh - 2rem); overflow: visible;
  background: none; color: var(--ink); pointer-events: none;
  font: 400 0.9375rem/1.45 var(--shopbell-font, system-ui, sans-serif);
}
section:focus-visible { outline: 3px solid var(--accent); outline-offset: 6px; border-radius: 1rem; }
:host([position$="end"]) section { inset-inline: auto var(--shopbell-inset, 1rem); }
:host([position^="top"]) section {
  inset-block: calc(var(--shopbell-inset, 1rem) + env(safe-area-inset-top, 0px)) auto;
}
ol { display: flex; flex-direction: column; gap: 0.625rem; list-style: none; margin: 0; padding: 0; }
:host([position^="top"]) ol { flex-direction: column-reverse; }
li {
  box-sizing: border-box; display: grid; grid-template-columns: auto 1fr auto; align-items: center;
  column-gap: 0.75rem; padding: 0.5rem 0.375rem 0.5rem 0.75rem; padding-inline: 0.75rem 0.375rem;
  background: var(--surface); border: 1px solid var(--line); border-radius: var(--shopbell-radius, 1rem);
  box-shadow: 0 1px 2px rgb(12 24 18 / 10%), 0 12px 32px -8px rgb(12 24 18 / 28%);
  pointer-events: auto; touch-action: pan-y; overflow-wrap: anywhere;
  translate: var(--swipe, 0) 0;
  animation: enter 320ms cubic-bezier(0.2, 0.9, 0.3, 1.1);
  transition: translate 180ms ease-out;
}
li.swiping { transition: none; user-select: none; cursor: grabbing; }
li.leaving { animation: leave 180ms ease-in forwards; }
.badge {
  display: grid; place-items: center; inline-size: 2.25rem; block-size: 2.25rem; border-radius: 50%;
  background: var(--accent-soft); color: var(--bell);
}
.own .badge { background: var(--accent); color: var(--surface); }
svg {
  inline-size: 1.25rem; block-size: 1.25rem; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linecap: round; stroke-linejoin: round;
}
p { margin: 0; word-break: keep-all; }
.joined { white-space: nowrap; }
strong { font-weight: 650; }
a {
  color: var(--accent); font-weight: 600; text-decoration: underline;
  text-decoration-thickness: 1px; text-underline-offset: 0.2em;
}
a:hover { text-decoration-thickness: 2px; }
time { display: block; color: var(--muted); font-size: 0.8125rem; }
button {
  display: grid; place-items: center; inline-size: 2.75rem; block-size: 2.75rem; padding: 0; border: 0;
  border-radius: 50%; background: none; color: var(--muted); cursor: pointer;
}
button svg { inline-size: 1.125rem; block-size: 1.125rem; }
button:hover { background: color-mix(in srgb, var(--ink) 8%, transparent); color: var(--ink); }
a:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; border-radius: 0.5rem; }
button:focus-visible { border-radius: 50%; outline-offset: -3px; }
@keyframes enter { from { opacity: 0; transform: translateY(0.75rem) scale(0.96); } }
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
