/** Files, read and written synchronously; what the system refuses is an error of the outbox. */

import * as fs from "node:fs";
import { basename } from "node:path";

import { OutboxError, OutboxFull } from "../../errors.js";

const CHUNK = 1024 * 1024;
const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * Make the names in a directory survive a power cut.
 * @param {string} directory
 */
export function syncDirectory(directory) {
  if (process.platform === "win32") return; // which cannot open a directory
  const descriptor = fs.openSync(directory, "r");
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * A descriptor of a file, to read it; null if it is gone.
 * @param {string} path
 */
export function openedIfThere(path) {
  try {
    return fs.openSync(path, "r");
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * Write all of `bytes`, or throw; `note` is called with the number of bytes that were written.
 * @param {number} descriptor
 * @param {Buffer} bytes
 * @param {(written: number) => void} [note]
 */
export function writeWhole(descriptor, bytes, note) {
  const written = fs.writeSync(descriptor, bytes);
  note?.(written);
  if (written < bytes.length) throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
}

/**
 * The whole lines of a file from an offset, and where each begins.
 * @param {number} descriptor
 * @param {number} offset
 * @returns {Generator<[line: Buffer, start: number]>}
 */
export function* linesFrom(descriptor, offset) {
  let rest = Buffer.alloc(0);
  for (let start = offset; ; ) {
    const chunk = Buffer.alloc(CHUNK);
    const count = fs.readSync(descriptor, chunk, 0, CHUNK, start + rest.length);
    if (!count) return;
    rest = Buffer.concat([rest, chunk.subarray(0, count)]);
    let begin = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, begin)) {
      yield [rest.subarray(begin, end), start + begin];
      begin = end + 1;
    }
    start += begin;
    rest = rest.subarray(begin);
  }
}

/**
 * What `act` returns; an error of the system is OutboxError, OutboxFull if there is no room.
 * @template T
 * @param {string} directory
 * @param {() => T} act
 * @returns {T}
 */
export function attempt(directory, act) {
  try {
    return act();
  } catch (error) {
    throw translated(directory, error);
  }
}

/**
 * @param {string} directory
 * @param {unknown} error
 */
export function translated(directory, error) {
  const { code = "", message = "" } = /** @type {NodeJS.ErrnoException} */ (error);
  if (error instanceof OutboxError || !code) return error;
  const words = `${basename(directory)}: ${message}`;
  return FULL.has(code) ? new OutboxFull(`${words}: the disk may be full`) : new OutboxError(words);
}
