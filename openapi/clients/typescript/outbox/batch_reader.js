/** What is sent next. It is read while the service works on the request before, whose rows are removed likewise. */

import { joined } from "../batches.js";
import { Call } from "../operations.js";
import { turn } from "../wire/pauses.js";

/** @typedef {import("./items.js").Kind} Kind */
/** @typedef {import("./items.js").Row} Row */

/** Rows, and the request that has them. It needs no Idempotency-Key: each item has a key of its own. */
export class Batch {
  /**
   * @param {Kind} kind
   * @param {readonly Row[]} rows
   */
  constructor(kind, rows) {
    this.kind = kind;
    this.rows = rows;
    this.call = new Call({ ...kind.operation, takesKey: false }, joined(rows.map((row) => row.body)));
  }

  /** The ids of its rows. */
  get ids() {
    return this.rows.map(({ id }) => id);
  }
}

/** Reads batches for one sender; every method but `useTime` throws OutboxError. */
export class BatchReader {
  #storage;
  /** @type {Map<string, Batch>} by kind */
  #ahead = new Map();
  /** @type {Batch[]} */
  #stored = [];

  /** @param {import("./items.js").Storage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /**
   * What was read ahead, if all of it waits still; else at most `most` items that are due, null if none is.
   * @param {Kind} kind
   * @param {number} most
   */
  async next(kind, most) {
    const ahead = this.#ahead.get(kind.name);
    this.#ahead.delete(kind.name);
    if (ahead && ahead.rows.length <= most && (await this.#isWaiting(ahead))) return ahead;
    if (this.#stored.some((batch) => batch.kind === kind)) await this.finish();
    const rows = await this.#storage.due(kind, most);
    return rows.length ? new Batch(kind, rows) : null;
  }

  /**
   * While the service works on `batch`, remove the rows of the one before it, and read what comes after it: as many as
   * a request may have, since more may be added until its turn.
   * @param {Batch} batch
   * @param {number} most
   */
  async useTime(batch, most) {
    const count = Math.min(most, batch.kind.limits.items);
    await turn(); // so that the request begins
    try {
      await this.finish();
      if (batch.rows.length < count) return;
      const rows = await this.#storage.due(batch.kind, count, new Set(batch.ids));
      if (rows.length < count) return;
      const ahead = new Batch(batch.kind, rows);
      this.#ahead.set(batch.kind.name, ahead);
      await ahead.call.compress();
    } catch {
      // it is tried again when its turn has come
    }
  }

  /**
   * Note that the service has all rows of `batch`: they are removed during the next request, or by `finish`.
   * @param {Batch} batch
   */
  stored(batch) {
    this.#stored.push(batch);
  }

  /**
   * True if the service has the item, which is not removed yet.
   * @param {string} id
   */
  isStored(id) {
    return this.#stored.some(({ rows }) => rows.some((row) => row.id === id));
  }

  /** Remove the rows that the service has. */
  async finish() {
    const stored = this.#stored;
    if (!stored.length) return;
    this.#stored = [];
    try {
      const rows = stored.flatMap((batch) => batch.rows);
      await this.#storage.settle(rows, [], new Map());
    } catch (error) {
      this.#stored.unshift(...stored);
      throw error;
    }
  }

  /** Read again what is next: what was read ahead may have been sent. */
  forget() {
    this.#ahead.clear();
  }

  /** @param {Batch} batch */
  async #isWaiting({ ids }) {
    return (await this.#storage.waiting(ids)).length === ids.length;
  }
}
