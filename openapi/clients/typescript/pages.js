/** Lists, read page by page. */

import { sleep } from "./wire/pauses.js";

/** @typedef {(cursor: string | undefined) => Promise<Record<string, any>>} FetchPage */

/**
 * The items of all pages of a list; with `pollMs` also those that come later, without end.
 *
 * After an error, `next` asks for the same page again. `cursor` continues a list: it begins with the page of the item
 * that was returned last, so that no item is lost if the program stops while it handles one.
 */
export class Items {
  #fetch;
  #pollMs;
  /** @type {Iterator<any>} */
  #page = [][Symbol.iterator]();
  #next;
  #hasMore = true;

  /**
   * @param {FetchPage} fetch fetches the page after a cursor; undefined for the first one
   * @param {string | undefined} cursor
   * @param {number} [pollMs]
   */
  constructor(fetch, cursor, pollMs) {
    this.#fetch = fetch;
    this.#pollMs = pollMs;
    this.#next = cursor;
    this.cursor = cursor;
  }

  /** Itself: a loop that ends early can be continued by another one. */
  [Symbol.asyncIterator]() {
    return this;
  }

  /**
   * The next item.
   * @returns {Promise<IteratorResult<any, undefined>>}
   */
  async next() {
    for (;;) {
      const { done, value } = this.#page.next();
      if (!done) return { done: false, value };
      if (!this.#hasMore) {
        if (this.#pollMs === undefined) return { done: true, value: undefined };
        this.cursor = this.#next;
        await sleep((0.5 + Math.random() / 2) * this.#pollMs); // so that clients do not ask together
      }
      await this.#turn();
    }
  }

  /** Go to the next page. */
  async #turn() {
    const page = await this.#fetch(this.#next);
    [this.cursor, this.#next] = [this.#next, page.next_cursor || this.#next];
    this.#hasMore = page.has_more === true;
    this.#page = (Array.isArray(page.items) ? page.items : [])[Symbol.iterator]();
  }
}
