/** JSON (RFC 8259) as every service reads it: I-JSON (RFC 7493) without what cannot be stored as text. */

import { InvalidItem } from "./errors.js";

const DEEPEST = 500;
const UNFIT = /[\0\p{Surrogate}]/u;

/**
 * `value` as JSON in UTF-8; InvalidItem, with the place, for what JSON or the service cannot keep.
 *
 * As with JSON.stringify a property that is undefined is absent, and an object with `toJSON`, such as a Date, is what
 * that returns. What JSON.stringify would change without a word, such as NaN or a Map, is refused.
 * @param {unknown} value
 */
export function encoded(value) {
  check(value, "", 0);
  return new TextEncoder().encode(JSON.stringify(value));
}

/**
 * @param {unknown} value
 * @param {string} pointer
 * @param {number} depth
 */
function check(value, pointer, depth) {
  if (depth > DEEPEST) throw new InvalidItem("", "it is nested too deeply, or contains itself");
  if (typeof value === "string") return checkText(value, pointer);
  if (value === null || typeof value === "boolean" || Number.isFinite(value)) return;
  if (typeof value === "number") throw new InvalidItem(pointer, `${value} is no number of JSON`);
  if (typeof value !== "object") throw new InvalidItem(pointer, `${typeof value} has no form in JSON`);
  if ("toJSON" in value && typeof value.toJSON === "function") return check(value.toJSON(), pointer, depth + 1);
  if (Array.isArray(value)) {
    for (const [index, inner] of value.entries()) check(inner, `${pointer}/${index}`, depth + 1);
    return;
  }
  checkProperties(value, pointer, depth);
}

/**
 * @param {object} value
 * @param {string} pointer
 * @param {number} depth
 */
function checkProperties(value, pointer, depth) {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new InvalidItem(pointer, `${value.constructor?.name} has no form in JSON`);
  }
  for (const [name, inner] of Object.entries(value)) {
    const place = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    checkText(name, place);
    if (inner !== undefined) check(inner, place, depth + 1);
  }
}

/**
 * @param {string} text
 * @param {string} pointer
 */
function checkText(text, pointer) {
  const unfit = UNFIT.exec(text);
  if (!unfit) return;
  const reason = unfit[0] === "\0" ? "has U+0000, which no database keeps" : "has half of a surrogate pair";
  throw new InvalidItem(pointer, `the text ${reason}`);
}
