/** The items in a database, and the values beside them: how they are read and changed in a transaction. */

import { InvalidItem } from "../../errors.js";
import { resultOf } from "./database.js";

/** @typedef {import("../items.js").New} New */
/** @typedef {import("../items.js").Reason} Reason */
/** @typedef {import("../items.js").Row} Row */
/** @typedef {import("../items.js").State} State */

/**
 * An item as it is kept; `notBefore` is absent once it is refused, and `refused` until then.
 * @typedef {object} Kept
 * @property {number} id
 * @property {string} kind
 * @property {string} key
 * @property {Uint8Array} body
 * @property {number} addedAt
 * @property {number} attempts
 * @property {number} [notBefore]
 * @property {{ at: number, reason: Reason }} [refused]
 */

/** @typedef {"sent" | "expired" | "erased"} Ending */
/** @typedef {{ added: number, sent: number, expired: number, erased: number, bytes: number }} Totals */

/** @type {State} */
const STATE = { failures: 0, pauseUntil: 0, lastError: "", clockSkew: null };
/** @type {Totals} */
const TOTALS = { added: 0, sent: 0, expired: 0, erased: 0, bytes: 0 };

/**
 * What is known of the requests of all pages.
 * @param {IDBObjectStore} values
 * @returns {Promise<State>}
 */
export async function stateOf(values) {
  return (await resultOf(values.get("state"))) ?? STATE;
}

/**
 * The sums of all that was added and is gone; `bytes` are those that are kept.
 * @param {IDBObjectStore} values
 * @returns {Promise<Totals>}
 */
export async function totalsOf(values) {
  return (await resultOf(values.get("totals"))) ?? TOTALS;
}

/**
 * Those of the items with some ids that wait: the others were settled or erased by another page.
 * @param {IDBObjectStore} items
 * @param {readonly string[]} ids
 * @returns {Promise<Kept[]>}
 */
export async function waiting(items, ids) {
  const kept = await Promise.all(ids.map((id) => resultOf(items.get(Number(id)))));
  return kept.filter((item) => item && !item.refused);
}

/**
 * Delete `gone` and count it; it is returned.
 * @param {IDBObjectStore} items
 * @param {IDBObjectStore} values
 * @param {Kept[]} gone
 * @param {Ending} how
 */
export async function end(items, values, gone, how) {
  await Promise.all(gone.map(({ id }) => resultOf(items.delete(id))));
  const totals = await totalsOf(values);
  const changed = { bytes: totals.bytes - bytesOf(gone), [how]: totals[how] + gone.length };
  await resultOf(values.put({ ...totals, ...changed }, "totals"));
  return gone;
}

/**
 * True if an equal item waits already under the key of the caller; InvalidItem if another one does.
 * @param {IDBObjectStore} items
 * @param {New} row
 * @param {string} pointer
 */
export async function isKnown(items, { kind, key, body }, pointer) {
  /** @type {Kept[]} */
  const same = await resultOf(items.index("byKey").getAll([kind, key]));
  const known = same.find((item) => !item.refused);
  if (!known) return false;
  if (known.body.length === body.length && known.body.every((byte, index) => byte === body[index])) return true;
  throw new InvalidItem(pointer, `an item with the key ${JSON.stringify(key)} waits already, with other content`);
}

/**
 * An item as the sender has it.
 * @param {Kept} item
 * @returns {Row}
 */
export function rowOf({ id, key, body, attempts, addedAt }) {
  return { id: String(id), key, body, attempts, addedAt };
}

/**
 * What was added.
 * @param {Uint8Array} body
 */
export function itemOf(body) {
  return JSON.parse(new TextDecoder().decode(body));
}

/** @param {readonly Kept[]} items */
export function bytesOf(items) {
  return items.reduce((sum, { body }) => sum + body.length, 0);
}
