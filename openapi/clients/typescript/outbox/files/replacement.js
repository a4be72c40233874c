/** The file that replaces others: what they say, without what is gone. */

import * as fs from "node:fs";

import { writeWhole } from "./file_access.js";
import { Entry } from "./ledger.js";
import { LineReader } from "./line_reader.js";
import { isWhole, lineOf } from "./lines.js";

/** @typedef {import("./ledger.js").Place} Place */

/** Bytes that are written at once. */
const CHUNK = 256 * 1024;

/**
 * Write what a ledger knows, in place of some logs, so that a power cut cannot take it.
 *
 * It gives where each kept item is, in `log`, and the size of the file; null if a line is not where it was, because
 * another process replaces the files at the same time.
 * @param {string} path
 * @param {import("./ledger.js").Ledger} ledger
 * @param {readonly string[]} names
 * @param {LineReader} reader
 * @param {{ name: string }} log
 */
export function writeReplacement(path, ledger, names, reader, log) {
  const descriptor = fs.openSync(path, "wx", 0o600);
  /** @type {Map<Entry, Place>} */
  const places = new Map();
  /** @type {Buffer[]} */
  let lines = [];
  let [written, size] = [0, 0];
  try {
    for (const fact of ledger.facts(names, (entry) => entry)) {
      const line = fact instanceof Entry ? lineIn(reader, fact) : lineOf(fact);
      if (!line) return null;
      if (fact instanceof Entry) places.set(fact, { log, offset: size, length: line.length - 1 });
      lines.push(line);
      size += line.length;
      if (size - written < CHUNK) continue;
      writeWhole(descriptor, Buffer.concat(lines));
      [lines, written] = [[], size];
    }
    writeWhole(descriptor, Buffer.concat(lines));
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  return { places, size };
}

/**
 * The line of an item with its end; null if it is not there.
 * @param {LineReader} reader
 * @param {Entry} entry
 */
function lineIn(reader, { place }) {
  const { log, offset, length } = /** @type {Place} */ (place);
  const line = reader.line({ log, offset, length: length + 1 });
  return line && isWhole(line.subarray(0, length)) ? line : null;
}
