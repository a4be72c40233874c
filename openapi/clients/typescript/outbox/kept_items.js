/**
 * The items that a program reports: what `add` returned for is stored by the service once, or refused with a reason.
 *
 * It survives crashes and restarts of the program and outages of the service. With `powerSafe` it survives a power cut,
 * too. Programs may share a directory, and pages of an origin a database. No timer keeps the process awake by itself.
 */

import { OutboxError } from "../errors.js";
import { sleep, turn, within } from "../wire/pauses.js";
import { IdleTime } from "./idle_time.js";
import { NewItems } from "./new_items.js";
import { onEnd } from "./program_end.js";
import { MOST, Sender } from "./sender.js";

/** @typedef {import("./items.js").Kind} Kind */
/** @typedef {import("./items.js").New} New */

const FLUSH_MS = 10_000;
const AT_EXIT_MS = 2000;
/** Milliseconds for the request that is under way when an outbox is closed. */
const LAST_MS = 1000;
const LINGER_MS = 100;
const TURN_MS = 1;
/** Milliseconds between two looks at what other processes left. */
const IDLE_MS = 5000;
/** Milliseconds between two looks of `flush`, at first and at last. */
const POLLS_MS = { first: 20, last: 500 };

/**
 * How an outbox behaves; its declaration has the words.
 * @typedef {object} Options
 * @property {boolean | undefined} [background]
 * @property {number | undefined} [maxAgeMs]
 * @property {number | undefined} [lingerMs]
 * @property {((refused: import("./items.js").Refused) => void) | undefined} [onRefused]
 */

/** Keeps items and sends them. */
export class KeptItems {
  #caller;
  #newItems;
  #storage;
  #sender;
  #isBackground;
  #maxAgeMs;
  #lingerMs;
  #isClosed = false;
  #isRunning = false;
  /** @type {Promise<unknown>} the step that is under way */
  #step = Promise.resolve();
  #idle = new IdleTime();
  /** Makes the end of the program end nothing here. */
  #ignoreEnd = () => {};

  /**
   * @param {import("../operations.js").Caller} caller
   * @param {readonly Kind[]} kinds
   * @param {import("./items.js").Storage} storage
   * @param {Options} options
   */
  constructor(caller, kinds, storage, options) {
    this.#caller = caller;
    this.#newItems = new NewItems(kinds);
    this.#storage = storage;
    this.#sender = new Sender(storage, caller, kinds, options.onRefused ?? logging(caller.log));
    this.#isBackground = options.background ?? true;
    this.#maxAgeMs = options.maxAgeMs;
    this.#lingerMs = options.lingerMs ?? LINGER_MS;
    if (!this.#isBackground) return;
    this.#ignoreEnd = onEnd(
      () => this.#flushAtExit(),
      () => this.#sendAtEnd(),
    );
    this.#begin(); // for what an earlier process left
  }

  #turnAt = 0;

  /**
   * Keep an item until the service has it; its key, which is a new one unless the item has one.
   * @param {Record<string, unknown>} item
   * @param {string} [kind]
   */
  async add(item, kind) {
    const row = this.#newItems.row(item, kind);
    await this.#keep([row]);
    return row.key;
  }

  /**
   * Keep all items, or none and throw; their keys.
   * @param {Iterable<Record<string, unknown>>} items
   * @param {string} [kind]
   */
  async addAll(items, kind) {
    const rows = this.#newItems.rows(items, kind);
    await this.#keep(rows);
    return rows.map((row) => row.key);
  }

  /**
   * Wait until everything that was added before is stored or refused; false if that takes longer.
   * @param {{ timeoutMs?: number | undefined }} [options]
   */
  async flush({ timeoutMs = FLUSH_MS } = {}) {
    const end = performance.now() + timeoutMs;
    const before = await this.#storage.pending();
    for (let poll = POLLS_MS.first; await this.#isWaiting(before); poll = Math.min(poll * 1.5, POLLS_MS.last)) {
      const left = end - performance.now();
      if (left <= 0) {
        await within(this.#settle(), 0); // the program may be frozen now
        return false;
      }
      const wait = await within(this.#send(), left); // a request may take longer than there is time
      if (wait) await sleep(Math.min(wait, poll, Math.max(0, end - performance.now())));
    }
    return true;
  }

  /**
   * Flush, stop sending and close the files; false if something is still kept, for the next process.
   * @param {{ timeoutMs?: number | undefined }} [options]
   */
  async close({ timeoutMs = FLUSH_MS } = {}) {
    if (this.#isClosed) return true;
    try {
      return await this.flush({ timeoutMs });
    } finally {
      this.#isClosed = true;
      this.#idle.close();
      this.#ignoreEnd();
      await within(this.#settle(), Math.min(timeoutMs, LAST_MS)); // else another process would send the same items
      await this.#storage.close();
    }
  }

  /** How many items are where. */
  counts() {
    return this.#storage.counts();
  }

  /** What the service refused, with its reasons, oldest first. */
  refused() {
    return this.#storage.refused();
  }

  /**
   * Send refused items again: all, or those with some keys; how many.
   * @param {readonly string[]} [keys]
   */
  async replay(keys) {
    const count = await this.#storage.replay(keys ?? null);
    this.#idle.add(count);
    return count;
  }

  /**
   * Delete the items that `isMeant` picks, refused ones, too; how many. A sent item is the service's.
   * @param {(item: any) => boolean} isMeant
   */
  async erase(isMeant) {
    await this.#sender.settle();
    return this.#storage.erase(isMeant);
  }

  /**
   * True if an item waits with one of the ids, from which others are taken out, the last ones first.
   * @param {string[]} ids oldest first
   */
  async #isWaiting(ids) {
    while (ids.length && !(await this.#storage.waiting(ids.slice(-MOST))).length) ids.splice(-MOST);
    return ids.length > 0;
  }

  /** @param {readonly New[]} rows */
  async #keep(rows) {
    if (this.#isClosed) throw new OutboxError("the outbox is closed");
    await this.#storage.add(rows);
    this.#idle.add(rows.length);
    if (performance.now() - this.#turnAt < TURN_MS) return;
    await turn(); // a program that only adds would leave none to the sender
    this.#turnAt = performance.now();
  }

  /**
   * One step of the sender, after the one that is under way; the milliseconds until the next one.
   * @returns {Promise<number | null>}
   */
  #send() {
    const step = this.#step.then(async () => {
      if (this.#isClosed) return null;
      try {
        const expired = this.#maxAgeMs ? await this.#expire(this.#maxAgeMs) : 0;
        if (expired) this.#caller.log.error(`${expired} items were not sent for too long, and are deleted`);
        return await this.#sender.step();
      } catch (error) {
        this.#caller.log.error(`the outbox cannot send: ${error}`);
        return error instanceof OutboxError ? 1000 : 10_000;
      }
    });
    this.#step = step;
    return step;
  }

  /**
   * Delete what is older; how many were not sent.
   * @param {number} maxAgeMs
   */
  async #expire(maxAgeMs) {
    await this.#sender.settle();
    return this.#storage.expire(maxAgeMs);
  }

  /** Remove what the service has, after the step that is under way. */
  #settle() {
    const step = this.#step.then(async () => {
      try {
        await this.#sender.settle();
      } catch (error) {
        this.#caller.log.error(`the outbox cannot remove what is sent: ${error}`);
      }
    });
    this.#step = step;
    return step;
  }

  /** Send in the background until the outbox is closed. */
  async #begin() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (!this.#isClosed) {
      this.#idle.reset();
      const wait = await this.#send();
      if (wait === 0) await turn();
      else await this.#idle.wait(Math.min(wait ?? IDLE_MS, IDLE_MS), wait === null ? 1 : Infinity);
      if (wait === null) await this.#idle.wait(this.#lingerMs, MOST);
    }
  }

  /** Send for a moment at the end of the program; what is left is sent by the next one. */
  async #flushAtExit() {
    try {
      await this.flush({ timeoutMs: AT_EXIT_MS });
    } catch (error) {
      this.#caller.log.info(`the outbox is left as it is: ${error}`);
    }
  }

  /** Send what a last request of the page may have. */
  async #sendAtEnd() {
    try {
      await this.#sender.finish();
    } catch (error) {
      this.#caller.log.info(`the outbox is left as it is: ${error}`);
    }
  }
}

/**
 * A hook that writes a line of the log for each refused item.
 * @param {{ warn(text: string): void }} log
 * @returns {(refused: import("./items.js").Refused) => void}
 */
function logging(log) {
  return ({ kind, key, reason }) => log.warn(`${kind} ${key} is refused: ${reason.status} ${reason.error || reason.code}`);
}
