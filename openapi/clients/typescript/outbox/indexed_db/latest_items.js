/** What a page has added last, in memory: when the page ends, there is no time to ask a database. */

/** @typedef {import("../items.js").Kind} Kind */
/** @typedef {import("../items.js").Row} Row */

/** Bytes of items: more than this cannot be sent at the end of a page. */
const MAX_BYTES = 60 * 1024;

/** The items of this page that are not known to be settled. */
export class LatestItems {
  /** @type {Map<string, Row & { kind: string }>} */
  #rows = new Map();
  #bytes = 0;

  /** Their ids. */
  get ids() {
    return [...this.#rows.keys()];
  }

  /** @param {Row & { kind: string }} row one that there is no room for is left out */
  add(row) {
    if (this.#bytes + row.body.length > MAX_BYTES) return;
    this.#rows.set(row.id, row);
    this.#bytes += row.body.length;
  }

  /** @param {string} id */
  delete(id) {
    this.#bytes -= this.#rows.get(id)?.body.length ?? 0;
    this.#rows.delete(id);
  }

  /**
   * Those of a kind, oldest first.
   * @param {Kind} kind
   * @returns {Row[]}
   */
  of(kind) {
    return [...this.#rows.values()].filter((row) => row.kind === kind.name);
  }
}
