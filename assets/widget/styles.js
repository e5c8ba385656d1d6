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

const CSS = /* css */`
:host { display: contents; color-scheme: light dark; }
div[role] { position: fixed; clip-path: inset(50%); white-space: nowrap; }
:popover-open {
  /* What a page says of its own text reaches through the shadow root. */
  all: initial;
  --edge: var(--shopbell-inset, 16px);
  --surface: var(--shopbell-surface, light-dark(#fff, #202b26));
  --muted: var(--shopbell-muted, light-dark(#57635c, #aab7af));
  --line: var(--shopbell-line, #8884);
  --accent: var(--shopbell-accent, light-dark(#0f5b4a, #7ad8b9));
  position: fixed; bottom: 0; inset-inline-start: 0; box-sizing: border-box;
  inline-size: calc(368px + 2 * var(--edge)); max-inline-size: 100vw; max-block-size: 100dvh; overflow: hidden auto; pointer-events: none;
  /* The room around the toasts is padding, so that their shadows show though what is beyond the screen is cut. */
  padding: calc(var(--edge) + env(safe-area-inset-top)) var(--edge) calc(var(--edge) + env(safe-area-inset-bottom));
  color: var(--shopbell-ink, light-dark(#17211d, #eef3ef)); font: 15px/1.45 var(--shopbell-font, system-ui, sans-serif);
}
:host([position$="end"]) section { inset-inline: auto 0; }
:host([position^="top"]) section { top: 0; bottom: auto; }
ol { display: grid; gap: 10px; margin: 0; padding: 0; }
li {
  display: grid; grid-template-columns: auto 1fr auto; align-items: center; gap: 12px; padding: 8px; padding-inline: 12px 6px;
  background: var(--surface); border: 1px solid var(--line); border-radius: var(--shopbell-radius, 16px); box-shadow: 0 8px 32px -8px #0005;
  pointer-events: auto; touch-action: pan-y; overflow-wrap: anywhere; user-select: none;
  animation: enter 320ms; transition: 180ms;
}
[inert] { opacity: 0; }
li > span, button {
  display: grid; place-items: center; position: relative; overflow: hidden; inline-size: 44px; block-size: 44px; padding: 0; border: 0;
  border-radius: 12px; background: var(--shopbell-accent-soft, #fb54); color: light-dark(#7d4b00, #f5c451);
}
button { background: none; color: var(--muted); cursor: pointer; }
button:hover { background: var(--line); }
/* The picture covers the bell, and leaves it where it does not come. */
img { position: absolute; inline-size: 100%; block-size: 100%; object-fit: cover; }
.own > span { background: var(--accent); color: var(--surface); }
svg { inline-size: 20px; fill: none; stroke: currentColor; stroke-width: 2; }
p {
  /* Two lines at most: three toasts with the longest names fit a small phone. */
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; margin: 0; word-break: keep-all;
}
/* A name that is written the other way leaves the sentence around it as it is, and a sentence its page. */
p, time, strong, [part=goods] { unicode-bidi: plaintext; }
strong, [part=goods] { font-weight: 600; }
[part=joined] { white-space: nowrap; }
a { color: var(--accent); }
time { display: block; color: var(--muted); font-size: 13px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: -3px; }
@keyframes enter { from { opacity: 0; translate: 0 12px; } }
@media (prefers-reduced-motion) { li { animation: none; transition: none; } }
@media print { :host { display: none; } }
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
