/** Types of /toast.js: the element <shopbell-toasts>, its events and what a page may ask of it. */

export interface ToastDetail {
  /** Offsets of the alerts that the toast shows; of a digest the last one. */
  ids: number[];
  /** Whether it is about an order of the reader's own. */
  own: boolean;
  /** What it says. */
  text: string;
}

/** An event source to share a page's connection: `BUY_GOODS`, `BUY_DIGEST`, `BUY_CANCELED`, `ORDER`, `hello`. */
export type Source = EventTarget & { now?(): number; lastId?: number | null };

export class ShopbellToasts extends HTMLElement {
  /** Set it before the element is in the page, or right after: then it opens no connection. */
  source: Source | null;
  /** Whether the reader is not told what others order. */
  readonly muted: boolean;
  /** Shows a text of the page's own. */
  show(text: string): void;
  /** Holds toasts back, and those that are shown where they are. */
  pause(): void;
  resume(): void;
  /** No more toasts of others' orders for so many days; for good without a number; 0 ends it. */
  mute(days?: number): void;
}

declare global {
  interface HTMLElementTagNameMap { 'shopbell-toasts': ShopbellToasts }
  interface HTMLElementEventMap {
    /** A toast is about to be shown; canceled, it is not. */
    'shopbell:toast': CustomEvent<ToastDetail>;
    /** Its link is followed; canceled, it is not. */
    'shopbell:click': CustomEvent<ToastDetail>;
    /** The reader closes it; canceled, it stays. */
    'shopbell:close': CustomEvent<ToastDetail>;
  }
}
