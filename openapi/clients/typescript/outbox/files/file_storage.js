/** The storage of an outbox in a directory, for Node.js: processes may share it, and each may be killed at any time. */

import { randomUUID } from "node:crypto";
import { resolve } from "node:path";

import { OutboxFull } from "../../errors.js";
import { attempt } from "./file_access.js";
import { requireLocal } from "./file_systems.js";
import { KnownKeys } from "./known_keys.js";
import { Lease } from "./lease.js";
import { Logs } from "./logs.js";
import { TOO_FAR_MS } from "./waiting_entries.js";

/** @typedef {import("../items.js").New} New */
/** @typedef {import("../items.js").Refused} Refused */
/** @typedef {import("../items.js").Row} Row */
/** @typedef {import("./ledger.js").Entry} Entry */
/** @typedef {import("./ledger.js").Fact} Fact */

const MAX_ITEMS = 100_000;
const MAX_BYTES = 256 * 1024 * 1024;
/** Bytes of facts about what is gone, from which the files are replaced; and how many times those of what is kept. */
const WASTE = 1024 * 1024;
const WASTE_RATIO = 2;

/** @typedef {import("../items.js").Storage} Storage */
/** @typedef {import("../../operations.js").Logger} Logger */

/**
 * Where the files are, and how much they may have; the declaration of an outbox has the words.
 * @typedef {object} Options
 * @property {string} path
 * @property {boolean | undefined} [powerSafe]
 * @property {number | undefined} [maxItems]
 * @property {number | undefined} [maxBytes]
 */

/**
 * A directory of logs; its methods are those of Storage.
 * @implements {Storage}
 */
export class FileStorage {
  #directory;
  #logs;
  #lease;
  #isPowerSafe;
  #maxItems;
  #maxBytes;
  /** Bytes of the files when they were replaced last. */
  #folded = 0;
  #name = randomUUID().slice(0, 13);
  #count = 0;
  #keys = new KnownKeys((id) => this.#isPending(id));

  /**
   * The storage in a directory; TypeError without its path, OutboxError if it cannot be used.
   * @param {Options} options
   * @param {Logger} log
   */
  static open(options, log) {
    const { path } = options ?? {};
    if (typeof path !== "string" || !path) throw new TypeError("give path, the directory of the outbox");
    return new FileStorage(options, log);
  }

  /**
   * @param {Options} options
   * @param {Logger} log
   */
  constructor({ path, powerSafe = false, maxItems = MAX_ITEMS, maxBytes = MAX_BYTES }, log) {
    this.#directory = resolve(path);
    this.#logs = new Logs(this.#directory, log);
    requireLocal(this.#directory);
    this.#lease = new Lease(this.#directory);
    this.#isPowerSafe = powerSafe;
    this.#maxItems = maxItems;
    this.#maxBytes = maxBytes;
  }

  /** @param {readonly New[]} rows */
  async add(rows) {
    const added = this.#keys.fresh(rows, () => `${this.#name}:${(this.#count += 1)}`);
    this.#requireSpace(added.length, rows);
    if (added.length) this.#logs.append(added.map(factOf));
    this.#keys.note(added);
    if (this.#isPowerSafe) await this.#logs.sync();
  }

  /**
   * @param {import("../items.js").Kind} kind
   * @param {number} most
   * @param {ReadonlySet<string>} [except]
   */
  async due(kind, most, except = new Set()) {
    this.#logs.refresh(); // the sender before this one may have settled items until it left
    /** @type {Row[]} */
    const rows = [];
    let size = 2;
    for (const [{ id, key, attempts, addedAt }, body] of this.#logs.bodies(this.#due(kind.name, except))) {
      size += (body?.length ?? 0) + 1;
      if (!body) break; // another process has replaced the files: the next step finds it
      if (rows.length && size > kind.limits.bytes) break;
      rows.push({ id, key, body, attempts, addedAt });
      if (rows.length === Math.min(most, kind.limits.items)) break;
    }
    return rows;
  }

  async nextDue() {
    this.#logs.refresh();
    return this.#logs.ledger.waiting.nextDue();
  }

  /**
   * @param {readonly Row[]} sent
   * @param {readonly [Row, import("../items.js").Reason][]} refused
   * @param {Map<string, number>} later
   */
  async settle(sent, refused, later) {
    const { entries } = this.#logs.ledger;
    const at = Date.now();
    /** @type {Fact[]} */
    const facts = sent.map(({ id }) => ({ t: "gone", id, how: "sent" }));
    for (const [{ id }, reason] of refused) {
      facts.push({ t: "refused", id, round: entries.get(id)?.round ?? 0, at, reason });
    }
    for (const [id, wait] of later) {
      facts.push({ t: "later", id, attempts: (entries.get(id)?.attempts ?? 0) + 1, notBefore: at + wait });
    }
    this.#logs.append(facts);
    const { bytes } = this.#logs.ledger;
    const isWasteful = this.#logs.size - bytes > Math.max(WASTE, WASTE_RATIO * bytes);
    if (isWasteful && this.#logs.size - this.#folded > Math.max(WASTE, this.#folded)) this.#fold();
  }

  async pending() {
    this.#logs.refresh();
    return this.#logs.ledger.pending().map((entry) => entry.id);
  }

  /** @param {readonly string[]} ids */
  async waiting(ids) {
    this.#logs.refresh();
    return ids.filter((id) => this.#isPending(id));
  }

  /** @param {number} maxAgeMs */
  async expire(maxAgeMs) {
    this.#logs.refresh();
    /** @type {Entry[]} */
    const old = [];
    for (const entry of this.#logs.ledger.waiting.kept) {
      if (Date.now() - entry.addedAt <= maxAgeMs) break;
      old.push(entry);
    }
    const count = old.filter((entry) => entry.isPending).length;
    this.#end(old, "expired");
    return count;
  }

  async refused() {
    this.#logs.refresh();
    const entries = this.#logs.ledger.kept().filter((entry) => entry.refused);
    return [...this.#logs.bodies(entries)].flatMap(([entry, body]) => {
      return body && entry.refused ? [refusedOf(entry, itemOf(body), entry.refused)] : [];
    });
  }

  /** @param {readonly string[] | null} keys */
  async replay(keys) {
    this.#logs.refresh();
    const meant = this.#logs.ledger.kept().filter((entry) => entry.refused && (keys?.includes(entry.key) ?? true));
    if (meant.length) this.#logs.append(meant.map(({ id, round }) => ({ t: "replayed", id, round: round + 1 })));
    return meant.length;
  }

  /** @param {(item: any) => boolean} isMeant */
  async erase(isMeant) {
    this.#logs.refresh();
    /** @type {Entry[]} */
    const meant = [];
    for (const [entry, body] of this.#logs.bodies(this.#logs.ledger.kept())) {
      if (body && isMeant(itemOf(body))) meant.push(entry);
    }
    this.#end(meant, "erased");
    this.#fold(); // the files have them still
    return meant.length;
  }

  async counts() {
    this.#logs.refresh();
    const { ledger } = this.#logs;
    const { lastError, clockSkew } = ledger.state;
    const pending = ledger.pending();
    const oldestAgeMs = pending[0] ? Math.max(0, Date.now() - pending[0].addedAt) : null;
    const refused = ledger.waiting.kept.size - pending.length;
    return { ...ledger.sums(), refused, pending: pending.length, oldestAgeMs, lastError, clockSkew };
  }

  async take() {
    const { pauseUntil, failures } = this.#logs.ledger.state;
    const wait = attempt(this.#directory, () => this.#lease.take());
    const pause = pauseUntil - Date.now();
    return { wait: wait || (pause > 0 && pause <= TOO_FAR_MS ? pause : 0), failures };
  }

  async leave() {
    attempt(this.#directory, () => this.#lease.leave());
  }

  /** @param {Partial<import("../items.js").State>} state */
  async note(state) {
    this.#logs.append([{ t: "state", at: Date.now(), state }]);
  }

  async close() {
    await this.leave();
    this.#logs.close();
  }

  /**
   * What may be sent now, oldest first.
   * @param {string} kind
   * @param {ReadonlySet<string>} except
   */
  *#due(kind, except) {
    for (const entry of this.#logs.ledger.waiting.due(kind)) if (!except.has(entry.id)) yield entry;
  }

  /** @param {string} id */
  #isPending(id) {
    return this.#logs.ledger.entries.get(id)?.isPending ?? false;
  }

  /**
   * OutboxFull if `count` are too many, or the files are too large; what is gone is taken out of the files before.
   * @param {number} count
   * @param {readonly New[]} rows
   */
  #requireSpace(count, rows) {
    const bytes = rows.reduce((sum, row) => sum + row.body.length, 0);
    const items = this.#logs.ledger.entries.size;
    if (items + count <= this.#maxItems && this.#logs.size + bytes <= this.#maxBytes) return;
    this.#fold();
    const waiting = this.#logs.ledger.waiting.count;
    if (waiting + count > this.#maxItems) {
      throw new OutboxFull(`the outbox has ${waiting} items, and may have ${this.#maxItems}`);
    }
    if (this.#logs.size + bytes > this.#maxBytes) {
      throw new OutboxFull(`the outbox has ${this.#logs.size} bytes, and may have ${this.#maxBytes}`);
    }
  }

  /**
   * @param {readonly Entry[]} entries
   * @param {import("./ledger.js").Ending} how
   */
  #end(entries, how) {
    if (entries.length) this.#logs.append(entries.map(({ id }) => ({ t: "gone", id, how })));
  }

  #fold() {
    this.#logs.fold();
    this.#folded = this.#logs.size;
  }
}

/**
 * @param {Entry} entry
 * @param {Record<string, unknown>} item
 * @param {{ at: number, reason: import("../items.js").Reason }} refused
 * @returns {Refused}
 */
function refusedOf({ kind, key, addedAt }, item, { at, reason }) {
  return { kind, key, item, reason, addedAt: new Date(addedAt), refusedAt: new Date(at) };
}

/**
 * @param {[id: string, row: New]} added
 * @returns {import("./ledger.js").Added}
 */
function factOf([id, { kind, key, isOwn, addedAt, body }]) {
  return { t: "add", id, kind, key, own: isOwn, at: addedAt, body };
}

/** @param {Buffer} body */
function itemOf(body) {
  return JSON.parse(body.toString());
}
