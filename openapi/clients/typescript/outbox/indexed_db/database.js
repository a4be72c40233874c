/** A database of the browser (IndexedDB): its stores, and transactions that are whole or not at all. */

import { OutboxError, OutboxFull } from "../../errors.js";

/** The version of the stores: a page that has an older one refuses the database. */
const VERSION = 1;
const STORES = ["items", "values"];
/** What each index of the items has; `notBefore` is absent from a refused item, which so waits in no index of it. */
const INDEXES = { byTime: "notBefore", byKind: ["kind", "notBefore"], byAge: "addedAt", byKey: ["kind", "key"] };

/** An open database. */
export class Database {
  #database;
  #name;
  #durability;
  /** True when the browser has closed it, or a page with a newer version needs it. */
  isClosed = false;

  /**
   * The database of a name, made if there is none; OutboxError if the browser has or gives none.
   * @param {string} name
   * @param {boolean} isPowerSafe
   */
  static async open(name, isPowerSafe) {
    try {
      const request = indexedDB.open(name, VERSION);
      request.onupgradeneeded = () => create(request.result);
      return new Database(await resultOf(request), name, isPowerSafe);
    } catch (error) {
      const { name: kind = "", message = "" } = /** @type {Error} */ (error);
      if (kind !== "VersionError") throw new OutboxError(`this browser keeps no outbox here: ${kind}: ${message}`);
      throw new OutboxError(`${name} was written by a newer version of this page: load the page again`);
    }
  }

  /**
   * @param {IDBDatabase} database
   * @param {string} name
   * @param {boolean} isPowerSafe
   */
  constructor(database, name, isPowerSafe) {
    this.#database = database;
    this.#name = name;
    this.#durability = /** @type {IDBTransactionDurability} */ (isPowerSafe ? "strict" : "relaxed");
    database.onversionchange = () => this.close();
    database.onclose = () => void (this.isClosed = true);
  }

  /**
   * What `act` returns, once all that it has changed is kept; OutboxFull without room, and then nothing is changed.
   *
   * `act` awaits nothing but requests of its transaction.
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(items: IDBObjectStore, values: IDBObjectStore) => Promise<T>} act
   * @returns {Promise<T>}
   */
  async run(mode, act) {
    if (this.isClosed) throw new OutboxError(`the browser has closed ${this.#name}: load the page again`);
    try {
      const transaction = this.#database.transaction(STORES, mode, { durability: this.#durability });
      return await whole(transaction, act);
    } catch (error) {
      throw this.#translated(error);
    }
  }

  /** Let other versions of the page have it. */
  close() {
    this.isClosed = true;
    this.#database.close();
  }

  /** @param {unknown} error */
  #translated(error) {
    if (!(error instanceof DOMException)) return error;
    const words = `${this.#name}: ${error.name}: ${error.message}`;
    return error.name === "QuotaExceededError" ? new OutboxFull(`${words}: the disk may be full`) : new OutboxError(words);
  }
}

/**
 * The result of a request.
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * The values that a cursor comes to; a caller that stops reading stops the cursor.
 * @param {IDBRequest<IDBCursorWithValue | null>} request
 * @returns {AsyncGenerator<any, void, undefined>}
 */
export async function* valuesOf(request) {
  for (let cursor = await resultOf(request); cursor; cursor = await resultOf(request)) {
    yield cursor.value;
    cursor.continue();
  }
}

/** @param {IDBDatabase} database */
function create(database) {
  const items = database.createObjectStore("items", { keyPath: "id", autoIncrement: true });
  for (const [name, path] of Object.entries(INDEXES)) items.createIndex(name, path);
  database.createObjectStore("values");
}

/**
 * @template T
 * @param {IDBTransaction} transaction
 * @param {(items: IDBObjectStore, values: IDBObjectStore) => Promise<T>} act
 */
async function whole(transaction, act) {
  /** @type {Promise<void>} */
  const end = new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("it was ended", "AbortError"));
  });
  try {
    const result = await act(transaction.objectStore("items"), transaction.objectStore("values"));
    await end;
    return result;
  } catch (error) {
    end.catch(() => {}); // it ends with the same error, or without one
    if (transaction.error === null) abort(transaction);
    throw transaction.error ?? error;
  }
}

/** @param {IDBTransaction} transaction */
function abort(transaction) {
  try {
    transaction.abort();
  } catch {
    // it has ended
  }
}
