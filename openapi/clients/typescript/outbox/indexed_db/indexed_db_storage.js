/** The storage of an outbox in a browser: the pages of an origin share it, and each may end at any time. */

import { OutboxError, OutboxFull } from "../../errors.js";
import { Database, resultOf, valuesOf } from "./database.js";
import { bytesOf, end, isKnown, itemOf, rowOf, stateOf, totalsOf, waiting } from "./kept.js";
import { LatestItems } from "./latest_items.js";
import { Turns } from "./turns.js";

/** @typedef {import("../items.js").Kind} Kind */
/** @typedef {import("../items.js").New} New */
/** @typedef {import("../items.js").Reason} Reason */
/** @typedef {import("../items.js").Row} Row */
/** @typedef {import("../items.js").State} State */
/** @typedef {import("../items.js").Storage} Storage */
/** @typedef {import("./kept.js").Ending} Ending */
/** @typedef {import("./kept.js").Kept} Kept */

/** Milliseconds: a time that is further ahead was written before the clock was set back, and has passed. */
const TOO_FAR_MS = 2 * 3_600_000;
const MAX_ITEMS = 100_000;
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The name of the database, and how much it may have; the declaration of an outbox has the words.
 * @typedef {object} Options
 * @property {string} path
 * @property {boolean | undefined} [powerSafe]
 * @property {number | undefined} [maxItems]
 * @property {number | undefined} [maxBytes]
 */

/**
 * A database; its methods are those of Storage.
 * @implements {Storage}
 */
export class IndexedDbStorage {
  #database;
  #turns;
  #maxItems;
  #maxBytes;
  #latest = new LatestItems();

  /**
   * The storage of a name; TypeError without it, OutboxError if the browser has none for this page.
   * @param {Options} options
   */
  static async open(options) {
    const { path, powerSafe = false } = options ?? {};
    if (typeof path !== "string" || !path) throw new TypeError("give path, the name of the outbox in the browser");
    if (!globalThis.navigator?.locks) throw new OutboxError("an outbox needs a secure page: of https, or of localhost");
    return new IndexedDbStorage(await Database.open(path, powerSafe), options);
  }

  /**
   * @param {Database} database
   * @param {Options} options
   */
  constructor(database, { path, maxItems = MAX_ITEMS, maxBytes = MAX_BYTES }) {
    this.#database = database;
    this.#turns = new Turns(path);
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
  }

  /** @param {readonly New[]} rows */
  async add(rows) {
    const added = await this.#database.run("readwrite", async (items, values) => {
      const kept = [];
      for (const [index, row] of rows.entries()) {
        if (row.isOwn && (await isKnown(items, row, rows.length > 1 ? `/${index}` : ""))) continue;
        const { kind, key, body, addedAt } = row;
        const item = { kind, key, body, addedAt, attempts: 0, notBefore: 0 };
        kept.push({ ...item, id: Number(await resultOf(items.add(item))) });
      }
      await this.#requireSpace(items, values, kept);
      return kept;
    });
    for (const item of added) this.#latest.add({ ...rowOf(item), kind: item.kind });
  }

  /**
   * @param {Kind} kind
   * @param {number} most
   * @param {ReadonlySet<string>} [except]
   */
  due(kind, most, except = new Set()) {
    return this.#database.run("readonly", async (items) => {
      const now = Date.now();
      const index = items.index("byKind");
      const { name, limits } = kind;
      const ranges = [
        IDBKeyRange.bound([name, 0], [name, now]),
        IDBKeyRange.bound([name, now + TOO_FAR_MS], [name, Infinity], true),
      ];
      /** @type {Row[]} */
      const rows = [];
      let size = 2;
      for (const range of ranges) {
        for await (const item of valuesOf(index.openCursor(range))) {
          if (except.has(String(item.id))) continue;
          size += item.body.length + 1;
          if (rows.length && (rows.length === Math.min(most, limits.items) || size > limits.bytes)) return rows;
          rows.push(rowOf(item));
        }
      }
      return rows;
    });
  }

  async nextDue() {
    if (this.#database.isClosed) return null; // another page sends
    return this.#database.run("readonly", async (items) => {
      const mine = new Set((await waiting(items, this.#latest.ids)).map(({ id }) => String(id)));
      for (const id of this.#latest.ids) if (!mine.has(id)) this.#latest.delete(id); // another page has settled it
      const first = await resultOf(items.index("byTime").openKeyCursor());
      if (!first) return null;
      const wait = Number(first.key) - Date.now();
      return wait > TOO_FAR_MS ? 0 : Math.max(0, wait);
    });
  }

  /**
   * @param {readonly Row[]} sent
   * @param {readonly [Row, Reason][]} refused
   * @param {Map<string, number>} later
   */
  async settle(sent, refused, later) {
    await this.#database.run("readwrite", async (items, values) => {
      const at = Date.now();
      await end(items, values, await waiting(items, sent.map(({ id }) => id)), "sent");
      const reasons = new Map(refused.map(([{ id }, reason]) => [id, reason]));
      for (const { notBefore: _, ...item } of await waiting(items, [...reasons.keys()])) {
        const reason = /** @type {Reason} */ (reasons.get(String(item.id)));
        await resultOf(items.put({ ...item, refused: { at, reason } }));
      }
      for (const item of await waiting(items, [...later.keys()])) {
        const notBefore = at + (later.get(String(item.id)) ?? 0);
        await resultOf(items.put({ ...item, attempts: item.attempts + 1, notBefore }));
      }
    });
    for (const { id } of [...sent, ...refused.map(([row]) => row)]) this.#latest.delete(id);
  }

  async pending() {
    const ids = await this.#database.run("readonly", (items) => resultOf(items.index("byTime").getAllKeys()));
    return ids.map(String);
  }

  /** @param {readonly string[]} ids */
  async waiting(ids) {
    const kept = await this.#database.run("readonly", (items) => waiting(items, ids));
    return kept.map(({ id }) => String(id));
  }

  /** @param {number} maxAgeMs */
  async expire(maxAgeMs) {
    if (this.#database.isClosed) return 0;
    const old = IDBKeyRange.upperBound(Date.now() - maxAgeMs, true);
    const gone = await this.#end("expired", (items) => items.index("byAge").openCursor(old), () => true);
    return gone.filter((item) => !item.refused).length;
  }

  async refused() {
    const kept = await this.#database.run("readonly", (items) => resultOf(items.index("byAge").getAll()));
    return kept.flatMap(({ kind, key, body, addedAt, refused }) => {
      if (!refused) return [];
      const { at, reason } = refused;
      return [{ kind, key, item: itemOf(body), reason, addedAt: new Date(addedAt), refusedAt: new Date(at) }];
    });
  }

  /** @param {readonly string[] | null} keys */
  replay(keys) {
    return this.#database.run("readwrite", async (items) => {
      let count = 0;
      for await (const { refused, ...item } of valuesOf(items.openCursor())) {
        if (!refused || !(keys?.includes(item.key) ?? true)) continue;
        await resultOf(items.put({ ...item, attempts: 0, notBefore: 0 }));
        count += 1;
      }
      return count;
    });
  }

  /** @param {(item: any) => boolean} isMeant */
  async erase(isMeant) {
    const gone = await this.#end("erased", (items) => items.openCursor(), ({ body }) => isMeant(itemOf(body)));
    return gone.length;
  }

  counts() {
    return this.#database.run("readonly", async (items, values) => {
      const { bytes: _, ...totals } = await totalsOf(values);
      const { lastError, clockSkew } = await stateOf(values);
      const pending = await resultOf(items.index("byTime").count());
      const refused = (await resultOf(items.count())) - pending;
      let oldestAgeMs = null;
      for await (const { addedAt, refused: reason } of valuesOf(items.index("byAge").openCursor())) {
        if (reason) continue;
        oldestAgeMs = Math.max(0, Date.now() - addedAt);
        break;
      }
      return { ...totals, refused, pending, oldestAgeMs, lastError, clockSkew };
    });
  }

  async take() {
    const { pauseUntil, failures } = await this.#database.run("readonly", (_, values) => stateOf(values));
    const wait = await this.#turns.take();
    const pause = pauseUntil - Date.now();
    return { wait: wait || (pause > 0 && pause <= TOO_FAR_MS ? pause : 0), failures };
  }

  async leave() {
    this.#turns.leave();
  }

  /** @param {Partial<State>} state */
  async note(state) {
    await this.#database.run("readwrite", async (_, values) => {
      await resultOf(values.put({ ...(await stateOf(values)), ...state }, "state"));
    });
  }

  async close() {
    this.#turns.leave();
    this.#database.close();
  }

  /** @param {Kind} kind */
  latest(kind) {
    return this.#latest.of(kind);
  }

  /**
   * Delete the items of a cursor that `isMeant` picks; those items.
   * @param {Ending} how
   * @param {(items: IDBObjectStore) => IDBRequest<IDBCursorWithValue | null>} cursor
   * @param {(item: Kept) => boolean} isMeant
   */
  async #end(how, cursor, isMeant) {
    const gone = await this.#database.run("readwrite", async (items, values) => {
      /** @type {Kept[]} */
      const meant = [];
      for await (const item of valuesOf(cursor(items))) if (isMeant(item)) meant.push(item);
      return end(items, values, meant, how);
    });
    for (const { id } of gone) this.#latest.delete(String(id));
    return gone;
  }

  /**
   * Count what was added; OutboxFull if that is too much.
   * @param {IDBObjectStore} items
   * @param {IDBObjectStore} values
   * @param {readonly Kept[]} added
   */
  async #requireSpace(items, values, added) {
    const totals = await totalsOf(values);
    const pending = await resultOf(items.index("byTime").count());
    const bytes = totals.bytes + bytesOf(added);
    if (pending > this.#maxItems) {
      throw new OutboxFull(`the outbox has ${pending - added.length} items, and may have ${this.#maxItems}`);
    }
    if (bytes > this.#maxBytes) {
      throw new OutboxFull(`the outbox has ${totals.bytes} bytes, and may have ${this.#maxBytes}`);
    }
    await resultOf(values.put({ ...totals, added: totals.added + added.length, bytes }, "totals"));
  }
}
