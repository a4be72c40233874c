/** Sends what waits: one request after the other, and what each answer means for each item. */

import { resultsOf } from "../batches.js";
import { ApiError, UnexpectedAnswer } from "../errors.js";
import { TRANSIENT, failure, isObject, isOurs } from "../wire/answers.js";
import { pause } from "../wire/pauses.js";
import { clockSkew, untilFull } from "./answer_fields.js";
import { Batch, BatchReader } from "./batch_reader.js";
import { counted, fitting } from "./last_requests.js";
import { reasonOf } from "./reasons.js";
import { Suspects } from "./suspects.js";

/** @typedef {import("./items.js").Kind} Kind */
/** @typedef {import("./items.js").Reason} Reason */
/** @typedef {import("./items.js").Row} Row */
/** @typedef {import("../wire/answers.js").Answer} Answer */

/** Items in a request. */
export const MOST = 500;
/** Statuses that an item may have caused: the request is halved until the item is alone. */
const POISON = new Set([400, 413, 415, 422]);
/** Milliseconds between requests while the service refuses all of them, such as those with a key that was replaced. */
const HELD = 60_000;

/** Sends for one process. */
export class Sender {
  #storage;
  #reader;
  #caller;
  #kinds;
  #onRefused;
  #most = MOST;
  #successes = 0;
  #failures = 0;
  #skew = 0;
  /** When the service takes another full request, by the clock of `performance`. */
  #restsUntil = 0;
  #suspects = new Suspects();
  /** @type {Set<string>} the ids of what a request has that is not answered */
  #underWay = new Set();

  /**
   * @param {import("./items.js").Storage} storage
   * @param {import("../operations.js").Caller} caller
   * @param {readonly Kind[]} kinds
   * @param {(refused: import("./items.js").Refused) => void} onRefused
   */
  constructor(storage, caller, kinds, onRefused) {
    this.#storage = storage;
    this.#reader = new BatchReader(storage);
    this.#caller = caller;
    this.#kinds = [...kinds];
    this.#onRefused = onRefused;
  }

  /**
   * Send what one request of each kind may have, if it is this process's turn; throws OutboxError.
   *
   * Returns the milliseconds until the next step: 0 if more is due, null if nothing is until something is added.
   * @returns {Promise<number | null>}
   */
  async step() {
    const wait = await this.#step();
    if (wait !== 0) await this.#reader.finish();
    return wait;
  }

  /** Remove what the service has: no request follows at once. */
  settle() {
    return this.#reader.finish();
  }

  /** @returns {Promise<number | null>} */
  async #step() {
    const due = await this.#storage.nextDue();
    if (due !== 0) {
      await this.#storage.leave();
      return due;
    }
    const turn = await this.#storage.take();
    const rest = Math.max(0, this.#restsUntil - performance.now());
    if (turn.wait || rest) return Math.max(turn.wait, rest);
    this.#failures = turn.failures;
    let isFull = false;
    for (let count = this.#kinds.length; count; count--) {
      const kind = /** @type {Kind} */ (this.#kinds.shift()); // the next step begins with another one
      this.#kinds.push(kind);
      const batch = await this.#reader.next(kind, this.#most);
      const wait = batch ? await this.#send(batch) : 0;
      if (wait) return wait;
      isFull ||= batch !== null && batch.rows.length >= Math.min(this.#most, kind.limits.items);
    }
    if (isFull) return 0; // more may be due, so that what is stored is removed during the next request
    await this.#reader.finish();
    const next = await this.#storage.nextDue();
    if (next !== 0) await this.#storage.leave(); // the next step may be far: a page that is hidden is slow
    return next;
  }

  /**
   * The page may end: send at once what one request of each kind may have, unless the service is failing. What is not
   * answered is sent again by the next page.
   */
  async finish() {
    if (this.#failures || this.#restsUntil > performance.now()) return;
    await Promise.all(
      this.#kinds.map((kind) => {
        const waiting = this.#storage.latest?.(kind).filter(({ id }) => !this.#isUnderWay(id)) ?? [];
        const rows = fitting(waiting, Math.min(this.#most, kind.limits.items));
        return rows.length ? counted(rows, () => this.#send(new Batch(kind, rows), true)) : 0;
      }),
    );
    await this.#reader.finish();
  }

  /** @param {string} id */
  #isUnderWay(id) {
    return this.#underWay.has(id) || this.#reader.isStored(id);
  }

  /**
   * Send a batch and settle its rows; returns the milliseconds to wait.
   * @param {Batch} batch
   * @param {boolean} [keepalive] let the request outlive its page
   * @returns {Promise<number>}
   */
  async #send(batch, keepalive = false) {
    const exchange = this.#caller.exchange(batch.call, keepalive);
    const use = keepalive ? null : this.#reader.useTime(batch, this.#most);
    let answer;
    for (const id of batch.ids) this.#underWay.add(id);
    try {
      answer = await exchange;
    } catch (error) {
      await use;
      return this.#unsent(error);
    } finally {
      for (const id of batch.ids) this.#underWay.delete(id);
    }
    await use;
    await this.#compareClocks(answer);
    return this.#judge(batch, answer);
  }

  /**
   * What an answer means for the rows of `batch`; returns the milliseconds to wait.
   * @param {Batch} batch
   * @param {Answer} answer
   */
  async #judge(batch, answer) {
    const body = answer.json;
    const results = resultsOf(body, batch.rows.length);
    if (results.size) return this.#settle(batch, results, answer);
    if (POISON.has(answer.status) || (answer.status === 403 && !isOurs(body))) return this.#halve(batch, answer);
    const isHeld = answer.status >= 300 && answer.status < 500 && !TRANSIENT.has(answer.status);
    return isHeld ? this.#hold(failure(answer)) : this.#fail(failure(answer), answer.retryAfter);
  }

  /**
   * What to do after a request without an answer of the operation, perhaps because the token endpoint gave none.
   * @param {unknown} error
   */
  async #unsent(error) {
    if (error instanceof UnexpectedAnswer) return this.#fail(error, error.retryAfter);
    if (error instanceof ApiError && TRANSIENT.has(error.status)) return this.#fail(error, error.retryAfter);
    if (error instanceof TypeError) return this.#fail(error, null); // `fetch` in a function that is asked for a token
    return this.#hold(error); // also what a function of the program throws that is asked for a key
  }

  /**
   * Each item by its result; one without a result, and one that may pass, is sent again later.
   * @param {Batch} batch
   * @param {Map<number, import("../batches.js").Result>} results
   * @param {Answer} answer
   */
  async #settle(batch, results, answer) {
    /** @type {Row[]} */
    const sent = [];
    /** @type {[Row, Reason][]} */
    const refused = [];
    /** @type {Map<string, number>} */
    const later = new Map();
    for (const [index, row] of batch.rows.entries()) {
      const result = results.get(index);
      if (!result || result.retry === true) later.set(row.id, pause(row.attempts + 1, answer.retryAfter));
      else if (result.status === "rejected" || result.retry === false) refused.push([row, reasonOf(answer, result)]);
      else sent.push(row);
    }
    await this.#succeed(later.size > 0 && !sent.length && !refused.length);
    if (sent.length === batch.rows.length) this.#reader.stored(batch);
    else await this.#put(batch.kind, sent, refused, later);
    const wait = untilFull(answer, this.#most);
    this.#restsUntil = performance.now() + wait;
    return wait;
  }

  /**
   * Find the item that makes a request fail, so that it does not hold up the others.
   * @param {Batch} batch
   * @param {Answer} answer
   * @returns {Promise<number>}
   */
  async #halve({ kind, rows }, answer) {
    const [row, ...others] = rows;
    if (row && others.length) {
      this.#reader.forget();
      const middle = Math.floor(rows.length / 2);
      if (answer.status === 413) this.#most = middle;
      const wait = await this.#send(new Batch(kind, rows.slice(0, middle)));
      this.#reader.forget(); // it may be the other half
      return wait || this.#send(new Batch(kind, rows.slice(middle)));
    }
    if (!row) return 0;
    if (answer.status === 403 && !this.#suspects.isProven(row.key, this.#successes)) {
      await this.#put(kind, [], [], new Map([[row.id, pause(row.attempts + 1, answer.retryAfter, 1000)]]));
      return this.#successes ? 0 : this.#hold(failure(answer));
    }
    await this.#put(kind, [], [[row, reasonOf(answer, isObject(answer.json) ? answer.json : {})]], new Map());
    return 0;
  }

  /**
   * Settle rows, and call the hook for each refused one.
   * @param {Kind} kind
   * @param {Row[]} sent
   * @param {[Row, Reason][]} refused
   * @param {Map<string, number>} later
   */
  async #put(kind, sent, refused, later) {
    await this.#storage.settle(sent, refused, later);
    for (const [row, reason] of refused) {
      this.#suspects.forget(row.key);
      const item = JSON.parse(new TextDecoder().decode(row.body));
      const [addedAt, refusedAt] = [new Date(row.addedAt), new Date()];
      try {
        this.#onRefused({ kind: kind.name, key: row.key, item, reason, addedAt, refusedAt });
      } catch (error) {
        this.#caller.log.error(`onRefused failed for ${row.key}: ${error}`);
      }
    }
  }

  /** @param {boolean} isStuck */
  async #succeed(isStuck) {
    if (!isStuck) this.#successes += 1;
    this.#most = Math.min(MOST, this.#most + 1 + Math.floor(this.#most / 10));
    if (!this.#failures) return;
    this.#failures = 0;
    await this.#storage.note({ failures: 0, pauseUntil: 0, lastError: "" });
  }

  /**
   * Note an outage; the pause grows with each, to between one and two minutes.
   * @param {Error} error
   * @param {number | null} floor seconds
   */
  async #fail(error, floor) {
    this.#reader.forget(); // what comes before it is sent again
    this.#failures += 1;
    return this.#note(error, pause(this.#failures, floor));
  }

  /**
   * Note that the service refuses every request; nothing is touched, and it is asked once a minute. A program that
   * starts anew asks at once: its credentials may be other ones.
   * @param {unknown} error
   */
  async #hold(error) {
    this.#reader.forget();
    this.#failures += 1;
    const wait = pause(1, null, HELD * 2, HELD * 2);
    this.#restsUntil = performance.now() + wait;
    await this.#note(error, 0);
    return wait;
  }

  /**
   * @param {unknown} error
   * @param {number} wait
   */
  async #note(error, wait) {
    const text = (error instanceof Error ? error.message : String(error)).slice(0, 1000);
    this.#caller.log.warn(`nothing can be sent now: ${text}`);
    await this.#storage.note({ lastError: text, failures: this.#failures, pauseUntil: Date.now() + wait });
    return wait;
  }

  /**
   * Note how far this machine's clock is ahead; the times of items are never changed.
   * @param {Answer} answer
   */
  async #compareClocks(answer) {
    const skew = clockSkew(answer);
    if (skew === null || Math.abs(skew - this.#skew) <= 30) return;
    this.#skew = skew;
    await this.#storage.note({ clockSkew: skew });
    if (Math.abs(skew) <= 30) return;
    this.#caller.log.warn(`the clock of this machine differs by ${Math.round(skew)} s from the service's`);
  }
}
