/** Items as they are added: with a key, a time, and as JSON that the service takes. */

import { encodedItem } from "../batches.js";
import { InvalidItem } from "../errors.js";
import { isObject } from "../wire/answers.js";

/** @typedef {import("./items.js").Kind} Kind */
/** @typedef {import("./items.js").New} New */

/** Makes what is to be kept of items. */
export class NewItems {
  #kinds;

  /** @param {readonly Kind[]} kinds the first one is that of an item without a kind */
  constructor(kinds) {
    this.#kinds = new Map(kinds.map((kind) => [kind.name, kind]));
  }

  /**
   * All items, or InvalidItem with the place of the first one that is none.
   * @param {Iterable<unknown>} items
   * @param {string} [kind]
   */
  rows(items, kind) {
    return [...items].map((item, index) => {
      try {
        return this.row(item, kind);
      } catch (error) {
        throw error instanceof InvalidItem ? new InvalidItem(`/${index}${error.pointer}`, error.reason) : error;
      }
    });
  }

  /**
   * An item, with a new key unless it has one; InvalidItem, or TypeError for a kind that there is not.
   * @param {unknown} item
   * @param {string} [name]
   * @returns {New}
   */
  row(item, name) {
    const kind = name === undefined ? [...this.#kinds.values()][0] : this.#kinds.get(name);
    if (!kind) throw new TypeError(`${name} is none of ${[...this.#kinds.keys()].join(", ")}`);
    if (!isObject(item)) throw new InvalidItem("", `${item === null ? "null" : typeof item} is no item`);
    const addedAt = Date.now();
    const own = item[kind.keyField];
    const isOwn = own !== undefined && own !== null;
    if (isOwn && (typeof own !== "string" || !own)) {
      throw new InvalidItem(`/${kind.keyField}`, "it is no text, or empty");
    }
    const key = isOwn ? String(own) : crypto.randomUUID();
    const whole = { ...item, [kind.keyField]: key };
    if (kind.timeField) whole[kind.timeField] ??= new Date(addedAt).toISOString();
    return { kind: kind.name, key, isOwn, body: encodedItem(whole, kind.limits), addedAt };
  }
}
