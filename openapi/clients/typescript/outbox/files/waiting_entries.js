/** The entries that are kept, and which of them may be sent when: known at once, however many there are. */

import { SortedEntries } from "./sorted_entries.js";

/** @typedef {import("./ledger.js").Entry} Entry */

/** Milliseconds: a time that is further ahead was written before the clock was set back, and has passed. */
export const TOO_FAR_MS = 2 * 3_600_000;

/** What is kept, oldest first; and what waits: what may be sent, oldest first, and what was put off, by its time. */
export class WaitingEntries {
  kept = new SortedEntries((entry) => entry.addedAt);
  /** @type {Map<string, SortedEntries>} by kind */
  #ready = new Map();
  #putOff = new SortedEntries((entry) => entry.notBefore);

  /** How many wait. */
  get count() {
    return [...this.#ready.values()].reduce((sum, ready) => sum + ready.size, this.#putOff.size);
  }

  /** @param {Entry} entry one that has changed */
  place(entry) {
    if (entry.isKept) this.kept.add(entry);
    else this.kept.delete(entry);
    this.#putOff.delete(entry);
    if (entry.isPending && entry.notBefore <= Date.now()) return this.#readyOf(entry).add(entry);
    this.#readyOf(entry).delete(entry);
    if (entry.isPending) this.#putOff.add(entry);
  }

  /**
   * Those of a kind that may be sent, oldest first.
   * @param {string} kind
   * @returns {Iterable<Entry>}
   */
  due(kind) {
    this.#look();
    return this.#ready.get(kind) ?? [];
  }

  /** Milliseconds until one may be sent, null if there is none. */
  nextDue() {
    this.#look();
    if ([...this.#ready.values()].some((ready) => ready.size)) return 0;
    const next = this.#putOff.first;
    return next ? Math.max(1, next.notBefore - Date.now()) : null;
  }

  /** Let those be sent whose time has come. */
  #look() {
    const now = Date.now();
    const isDue = (/** @type {Entry} */ { notBefore }) => notBefore <= now || notBefore > now + TOO_FAR_MS;
    for (let entry = this.#putOff.first; entry && isDue(entry); entry = this.#putOff.first) this.#wake(entry);
    for (let entry = this.#putOff.last; entry && isDue(entry); entry = this.#putOff.last) this.#wake(entry);
  }

  /** @param {Entry} entry */
  #wake(entry) {
    this.#putOff.delete(entry);
    this.#readyOf(entry).add(entry);
  }

  /** @param {Entry} entry */
  #readyOf({ kind }) {
    const ready = this.#ready.get(kind) ?? new SortedEntries((entry) => entry.addedAt);
    this.#ready.set(kind, ready);
    return ready;
  }
}
