/** The log that a process writes: a file of its own, which other processes may rename at any time. */

import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";

import { attempt, syncDirectory, translated, writeWhole } from "./file_access.js";

export const SUFFIX = ".log";

/** @typedef {{ name: string, descriptor: number, inode: number, size: number, isTorn: boolean }} Opened */

/** The log of this process, begun when something is written. */
export class OwnLog {
  #directory;
  /** @type {Opened | null} */
  #opened = null;

  /** @param {string} directory */
  constructor(directory) {
    this.#directory = directory;
  }

  /**
   * Write whole lines where every process reads them; the name of the file, and its size. OutboxFull, OutboxError.
   * @param {Buffer} bytes
   */
  append(bytes) {
    return attempt(this.#directory, () => {
      for (;;) {
        const own = (this.#opened ??= this.#begun());
        write(own, bytes);
        if (this.#isInPlace(own)) return { name: own.name, size: own.size };
      }
    });
  }

  /** Wait until what was appended is on the disk, so that a power cut cannot take it. */
  async sync() {
    const descriptor = this.#opened?.descriptor;
    if (descriptor === undefined) return;
    try {
      await new Promise((resolve, reject) =>
        fs.fdatasync(descriptor, (error) => (error ? reject(error) : resolve(undefined))),
      );
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EBADF") throw translated(this.#directory, error);
      // a fold has replaced the file, and has synced the new one
    }
  }

  /** Close the file; `append` begins another one. */
  close() {
    if (this.#opened) fs.closeSync(this.#opened.descriptor);
    this.#opened = null;
  }

  #begun() {
    const name = nameOfLog();
    const descriptor = fs.openSync(join(this.#directory, name), "ax", 0o600);
    syncDirectory(this.#directory);
    return { name, descriptor, inode: fs.fstatSync(descriptor).ino, size: 0, isTorn: false };
  }

  /**
   * True if the file is where every process reads it; else it is given up.
   * @param {Opened} own
   */
  #isInPlace(own) {
    if (fs.statSync(join(this.#directory, own.name), { throwIfNoEntry: false })?.ino === own.inode) return true;
    fs.mkdirSync(this.#directory, { recursive: true, mode: 0o700 }); // if all of it was deleted
    this.close();
    return false;
  }
}

/** The name of a new log, by which people can tell whose it is. */
export function nameOfLog() {
  return `${process.pid}-${randomUUID().slice(0, 13)}${SUFFIX}`;
}

/**
 * @param {Opened} own
 * @param {Buffer} bytes
 */
function write(own, bytes) {
  const whole = own.isTorn ? Buffer.concat([Buffer.from("\n"), bytes]) : bytes;
  own.isTorn = true; // until all of it is written
  writeWhole(own.descriptor, whole, (written) => (own.size += written));
  own.isTorn = false;
}
