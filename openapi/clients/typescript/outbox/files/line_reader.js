/** Reads lines at known places: each log is opened once, and lines that are near each other are read at once. */

import * as fs from "node:fs";
import { join } from "node:path";

import { attempt, openedIfThere } from "./file_access.js";

/** Bytes that are read at once. */
const WINDOW = 128 * 1024;

/** @typedef {{ descriptor: number, begin: number, bytes: Buffer }} Opened a log, and the part of it that was read */

/** The logs of a directory that are open. */
export class LineReader {
  #directory;
  /** @type {Map<string, Opened>} */
  #logs = new Map();

  /** @param {string} directory */
  constructor(directory) {
    this.#directory = directory;
  }

  /**
   * A line without its end; null if its log is gone, because another process has replaced it. OutboxError.
   * @param {import("./ledger.js").Place} place
   * @returns {Buffer | null}
   */
  line({ log, offset, length }) {
    return attempt(this.#directory, () => {
      const opened = this.#logs.get(log.name) ?? this.#opened(log.name);
      if (!opened) return null;
      if (offset < opened.begin || offset + length > opened.begin + opened.bytes.length) {
        const window = Buffer.allocUnsafe(Math.max(WINDOW, length));
        opened.bytes = window.subarray(0, fs.readSync(opened.descriptor, window, 0, window.length, offset));
        opened.begin = offset;
      }
      const begin = offset - opened.begin;
      return opened.bytes.subarray(begin, begin + length);
    });
  }

  /** Close the logs. */
  close() {
    for (const { descriptor } of this.#logs.values()) fs.closeSync(descriptor);
    this.#logs.clear();
  }

  /** @param {string} log */
  #opened(log) {
    const descriptor = openedIfThere(join(this.#directory, log));
    if (descriptor === null) return null;
    const opened = { descriptor, begin: 0, bytes: Buffer.alloc(0) };
    this.#logs.set(log, opened);
    return opened;
  }
}
