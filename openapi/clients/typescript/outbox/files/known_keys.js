/** The items of this process that wait under keys of the caller: an equal one is added once, another one is refused. */

import { InvalidItem } from "../../errors.js";

/** @typedef {import("../items.js").New} New */
/** @typedef {{ id: string, body: Uint8Array }} Known */

/** Keys from which those are looked for that do not wait any more. */
const FEW = 1000;

/** The keys, by kind. */
export class KnownKeys {
  #isPending;
  /** @type {Map<string, Known>} */
  #known = new Map();
  #most = FEW;

  /** @param {(id: string) => boolean} isPending */
  constructor(isPending) {
    this.#isPending = isPending;
  }

  /**
   * Those of `rows` that are to be added, with the ids that `nextId` gives; InvalidItem if another item waits.
   * @param {readonly New[]} rows
   * @param {() => string} nextId
   * @returns {[id: string, row: New][]}
   */
  fresh(rows, nextId) {
    /** @type {Map<string, Known>} */
    const own = new Map();
    /** @type {[string, New][]} */
    const fresh = [];
    for (const [index, row] of rows.entries()) {
      const known = row.isOwn ? (own.get(placeOf(row)) ?? this.#waiting(row)) : undefined;
      if (!known) fresh.push([nextId(), row]);
      else if (Buffer.compare(known.body, row.body)) throw conflict(row, rows.length > 1 ? `/${index}` : "");
      if (!known && row.isOwn) own.set(placeOf(row), { id: fresh.at(-1)?.[0] ?? "", body: row.body });
    }
    return fresh;
  }

  /** @param {readonly [id: string, row: New][]} added */
  note(added) {
    for (const [id, row] of added) if (row.isOwn) this.#known.set(placeOf(row), { id, body: row.body });
    if (this.#known.size > this.#most) this.#forget();
  }

  /** Forget the keys of what does not wait any more. */
  #forget() {
    for (const [place, { id }] of this.#known) if (!this.#isPending(id)) this.#known.delete(place);
    this.#most = 2 * this.#known.size + FEW;
  }

  /** @param {New} row */
  #waiting(row) {
    const known = this.#known.get(placeOf(row));
    return known && this.#isPending(known.id) ? known : undefined;
  }
}

/** @param {New} row */
function placeOf({ kind, key }) {
  return `${kind} ${key}`;
}

/**
 * @param {New} row
 * @param {string} pointer
 */
function conflict({ key }, pointer) {
  return new InvalidItem(pointer, `an item with the key ${JSON.stringify(key)} waits already, with other content`);
}
