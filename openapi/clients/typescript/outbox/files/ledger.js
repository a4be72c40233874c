/**
 * What the facts of all logs amount to, in whatever order they are read, and however often.
 *
 * A fact about an item names it by its id. That it is gone is final. Else the higher round counts: `refused` ends a
 * round, `replayed` begins the next one. So two processes that both believe to be the sender may write what they like:
 * the service knows what it has stored, and no fact undoes another one.
 */

import { WaitingEntries } from "./waiting_entries.js";

/** @typedef {"sent" | "expired" | "erased"} Ending */
/** @typedef {{ added: number, sent: number, expired: number, erased: number }} Totals */
/** @typedef {{ log: { name: string }, offset: number, length: number }} Place where the line of an item is */
/** @typedef {import("../items.js").Reason} Reason */
/** @typedef {import("../items.js").State} State */

/** @typedef {{ t: "add", id: string, kind: string, key: string, own: boolean, at: number, body: Uint8Array }} Added */
/** @typedef {{ t: "gone", id: string, how: Ending }} Gone */
/** @typedef {{ t: "later", id: string, attempts: number, notBefore: number }} Later */
/** @typedef {{ t: "refused", id: string, round: number, at: number, reason: Reason }} RefusedFact */
/** @typedef {{ t: "replayed", id: string, round: number }} Replayed */
/** @typedef {{ t: "state", at: number, state: Partial<State> }} StateFact */
/** @typedef {{ t: "replaces", logs: string[], totals: Totals }} Replaces */
/** @typedef {Added | Gone | Later | RefusedFact | Replayed | StateFact | Replaces} Fact */

/** An item, as far as it is known: a fact may be read before the item itself. */
export class Entry {
  /** @type {Place | null} */
  place = null;
  kind = "";
  key = "";
  isOwn = false;
  addedAt = 0;
  attempts = 0;
  notBefore = 0;
  round = 0;
  /** @type {{ at: number, reason: Reason } | null} */
  refused = null;
  /** @type {Ending | null} */
  ending = null;

  /** @param {string} id */
  constructor(id) {
    this.id = id;
  }

  /** True if it is to be sent. */
  get isPending() {
    return this.place !== null && !this.ending && !this.refused;
  }

  /** True if it is sent or waits for a replay. */
  get isKept() {
    return this.place !== null && !this.ending;
  }

  /** Bytes of its line if it is kept. */
  get bytes() {
    return this.place && !this.ending ? this.place.length : 0;
  }
}

/** The entries by their ids, and the sums of those that are forgotten. */
export class Ledger {
  /** @type {Map<string, Entry>} */
  entries = new Map();
  /** @type {Totals} */
  totals = { added: 0, sent: 0, expired: 0, erased: 0 };
  /** @type {State} */
  state = { failures: 0, pauseUntil: 0, lastError: "", clockSkew: null };
  waiting = new WaitingEntries();
  /** Bytes of the lines of what is kept. */
  bytes = 0;
  /** @type {Map<string, number>} when each part of the state was written */
  #written = new Map();

  /**
   * Take in a fact.
   * @param {Fact} fact
   * @param {Place} place
   */
  apply(fact, place) {
    if (fact.t === "state") return this.#applyState(fact);
    if (fact.t === "replaces") return this.#applyTotals(fact.totals);
    const entry = this.entries.get(fact.id) ?? new Entry(fact.id);
    this.entries.set(fact.id, entry);
    this.bytes -= entry.bytes;
    change(entry, fact, place);
    this.bytes += entry.bytes;
    this.waiting.place(entry);
  }

  /** What waits, oldest first. */
  pending() {
    return this.kept().filter((entry) => entry.isPending);
  }

  /** What is kept, sent or not: what waits, and what is refused; oldest first. */
  kept() {
    return [...this.waiting.kept];
  }

  /** The sums, with what is gone since the logs were replaced. */
  sums() {
    const sums = { ...this.totals };
    for (const { place, ending } of this.entries.values()) {
      if (place) sums.added += 1;
      if (place && ending) sums[ending] += 1;
    }
    return sums;
  }

  /**
   * The facts that say the same, without what is gone.
   * @param {readonly string[]} logs those that they replace
   * @template T
   * @param {(entry: Entry) => T} read gives the fact of an item, or its line
   * @returns {Generator<Fact | T>}
   */
  *facts(logs, read) {
    const totals = this.sums();
    const kept = this.kept();
    yield { t: "replaces", logs: [...logs], totals: { ...totals, added: totals.added - kept.length } };
    yield { t: "state", at: Math.max(0, ...this.#written.values()), state: this.state };
    for (const entry of kept) {
      const { id, round, refused, attempts, notBefore } = entry;
      yield read(entry);
      if (round && !refused) yield { t: "replayed", id, round };
      if (refused) yield { t: "refused", id, round, at: refused.at, reason: refused.reason };
      if (attempts) yield { t: "later", id, attempts, notBefore };
    }
  }

  /**
   * Forget what is gone, as the facts do that replace the others.
   * @param {ReadonlyMap<Entry, Place>} places where what is kept is now
   */
  replace(places) {
    const sums = this.sums();
    this.totals = { ...sums, added: sums.added - places.size };
    for (const [id, entry] of this.entries) {
      entry.place = places.get(entry) ?? null;
      if (!entry.place) this.entries.delete(id);
    }
  }

  /** @param {StateFact} fact */
  #applyState({ at, state }) {
    for (const [name, value] of Object.entries(state)) {
      if (at < (this.#written.get(name) ?? 0)) continue;
      this.#written.set(name, at);
      Object.assign(this.state, { [name]: value });
    }
  }

  /** @param {Totals} totals */
  #applyTotals(totals) {
    this.totals.added += totals.added;
    this.totals.sent += totals.sent;
    this.totals.expired += totals.expired;
    this.totals.erased += totals.erased;
  }
}

/**
 * Change an entry by a fact that names it.
 * @param {Entry} entry
 * @param {Exclude<Fact, StateFact | Replaces>} fact
 * @param {Place} place
 */
function change(entry, fact, place) {
  if (fact.t === "add") {
    Object.assign(entry, { place, kind: fact.kind, key: fact.key, isOwn: fact.own, addedAt: fact.at });
  } else if (fact.t === "gone") {
    entry.ending ??= fact.how;
  } else if (fact.t === "later") {
    if (fact.attempts > entry.attempts) Object.assign(entry, { attempts: fact.attempts, notBefore: fact.notBefore });
  } else if (fact.t === "refused") {
    if (fact.round >= entry.round) Object.assign(entry, { round: fact.round, refused: fact });
  } else if (fact.t === "replayed" && fact.round > entry.round) {
    Object.assign(entry, { round: fact.round, refused: null, attempts: 0, notBefore: 0 });
  }
}
