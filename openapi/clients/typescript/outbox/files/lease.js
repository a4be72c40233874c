/**
 * The lease of the sender: a file that names the process that sends, and is touched as long as it does.
 *
 * Nothing depends on it but the number of requests: two senders at the same time report the same items, which the
 * service stores once. So it need not be proof against every race, only against processes that ended or stopped.
 */

import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";

/** Milliseconds for which one process sends without a sign of life; longer than a request may take. */
const LEASE_MS = 60_000;
/** Milliseconds between two looks at whether the process that has the lease lives. */
const LOOK_MS = 2000;

/** The lease of one outbox. */
export class Lease {
  #path;
  #owner = JSON.stringify({ pid: process.pid, began: beginningOf(process.pid), id: randomUUID() });
  #has = false;

  /** @param {string} directory */
  constructor(directory) {
    this.#path = join(directory, "sender");
  }

  /** Take the lease, or extend it; the milliseconds until the next attempt, 0 if this process may send. */
  take() {
    const now = new Date();
    for (let attempt = 0; attempt < 3; attempt++) {
      const owner = this.#read();
      this.#has = owner === this.#owner || (owner === null && this.#create());
      if (this.#has) {
        fs.utimesSync(this.#path, now, now);
        return 0;
      }
      if (owner !== null && !this.#isOver(owner)) break;
      if (owner !== null) this.#remove(owner);
    }
    return LOOK_MS * (0.5 + Math.random() / 2);
  }

  /** Let another process send at once. */
  leave() {
    if (!this.#has) return;
    this.#has = false;
    if (this.#read() === this.#owner) fs.rmSync(this.#path, { force: true });
  }

  #read() {
    try {
      return fs.readFileSync(this.#path, "utf8");
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return null;
      throw error;
    }
  }

  /** Create the file whole, by a link, which fails if it is there. */
  #create() {
    const own = `${this.#path}.${randomUUID()}`;
    fs.writeFileSync(own, this.#owner, { mode: 0o600 });
    try {
      fs.linkSync(own, this.#path);
      return true;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
      throw error;
    } finally {
      fs.rmSync(own, { force: true });
    }
  }

  /**
   * Remove the lease of an owner that has ended. If another process was faster, and this removes that one's lease, it
   * takes a new one at its next request.
   * @param {string} owner
   */
  #remove(owner) {
    if (this.#read() === owner) fs.rmSync(this.#path, { force: true });
  }

  /**
   * True if the owner has ended, or has stopped for too long; also if a clock was set back.
   * @param {string} owner
   */
  #isOver(owner) {
    const age = Date.now() - (fs.statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    return Math.abs(age) > LEASE_MS || !isAlive(owner);
  }
}

/**
 * False if the process of `owner` has ended; of another machine or container, its number may be of another one.
 * @param {string} owner
 */
function isAlive(owner) {
  try {
    const { pid, began } = JSON.parse(owner);
    process.kill(pid, 0);
    return began === beginningOf(pid);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/**
 * When a process began, in the units of Linux, so that a later process with its number differs from it; "" elsewhere.
 * @param {number} pid
 */
function beginningOf(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
