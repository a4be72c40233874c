/**
 * The lines of a log: a checksum (CRC-32 of ISO 3309), a blank and a fact as JSON, so that a torn one is noticed.
 *
 * The line of an item ends with the bytes that the service gets, after their number: `..."size":2,"item":{}}`. They are
 * cut out as they are. A line that is not like this, such as one of an earlier version, is parsed as a whole.
 */

import * as zlib from "node:zlib";

/** @typedef {import("./ledger.js").Added} Added */
/** @typedef {import("./ledger.js").Fact} Fact */

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
/** @type {(bytes: Uint8Array) => number} */
const crc32 = /** @type {any} */ (zlib).crc32 ?? crc32ByTable; // Node.js has it since 20.15 and 22.2

/** Bytes of a checksum and the blank. */
const START = 9;
/** What comes before the item; a quote in a text before it has a backslash, so that it does not occur there. */
const ITEM = Buffer.from(',"item":');
const END = 0x7d;
const LINE_END = 0x0a;
const SIZE = /,"size":(\d{1,9})$/;
const LONGEST_SIZE = 17;

/**
 * A fact as a line, with its end.
 * @param {Fact} fact
 */
export function lineOf(fact) {
  if (fact.t !== "add") return framed(JSON.stringify(fact));
  const { body, t, id, kind, key, own, at } = fact;
  const head = JSON.stringify({ t, id, kind, key, own, at, size: body.length });
  return framed(`${head.slice(0, -1)}${ITEM}`, body);
}

/**
 * The fact in a line without its end; null if the line is not as it was written.
 * @param {Buffer} line
 * @returns {Fact | null}
 */
export function factOf(line) {
  if (!isWhole(line)) return null;
  const text = line.subarray(START);
  const begin = beginOfItem(text);
  if (begin) {
    const head = JSON.parse(`${text.toString("utf8", 0, begin - ITEM.length)}}`);
    return { ...head, body: text.subarray(begin, -1) };
  }
  const { item, ...fact } = JSON.parse(text.toString());
  return fact.t === "add" ? { ...fact, body: Buffer.from(JSON.stringify(item)) } : fact;
}

/**
 * The item in a line without its end, as JSON; null if the line is not as it was written.
 * @param {Buffer} line
 * @returns {Buffer | null}
 */
export function bodyOf(line) {
  if (!isWhole(line)) return null;
  const begin = beginOfItem(line.subarray(START));
  return begin ? line.subarray(START + begin, -1) : Buffer.from(/** @type {Added} */ (factOf(line)).body);
}

/**
 * True if a line without its end is as it was written.
 * @param {Buffer} line
 */
export function isWhole(line) {
  return line.length > START && line.toString("latin1", 0, START) === checksum(line.subarray(START));
}

/**
 * The checksum for a version of Node.js that has none.
 * @param {Uint8Array} bytes
 */
export function crc32ByTable(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ /** @type {number} */ (TABLE[(value ^ byte) & 0xff]);
  return (value ^ 0xffffffff) >>> 0;
}

/**
 * Where the item begins that ends one byte before the text does; 0 if the text does not say so.
 * @param {Buffer} text
 */
function beginOfItem(text) {
  const end = text.indexOf(ITEM);
  if (end < 0) return 0;
  const size = SIZE.exec(text.toString("latin1", Math.max(0, end - LONGEST_SIZE), end))?.[1];
  const begin = end + ITEM.length;
  return begin + Number(size) + 1 === text.length && text[text.length - 1] === END ? begin : 0;
}

/**
 * A line with its end; `body` and a brace come after `text`.
 * @param {string} text
 * @param {Uint8Array | null} body
 */
function framed(text, body = null) {
  const size = Buffer.byteLength(text);
  const line = Buffer.allocUnsafe(START + size + (body ? body.length + 1 : 0) + 1);
  line.write(text, START);
  if (body) {
    line.set(body, START + size);
    line[line.length - 2] = END;
  }
  line[line.length - 1] = LINE_END;
  line.write(checksum(line.subarray(START, -1)), 0, "latin1");
  return line;
}

/**
 * A checksum as it stands in a line, with the blank.
 * @param {Uint8Array} bytes
 */
function checksum(bytes) {
  return `${crc32(bytes).toString(16).padStart(8, "0")} `;
}
