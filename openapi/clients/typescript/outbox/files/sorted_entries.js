/**
 * Entries in the order of a number, kept so as they come and go.
 *
 * Most come at the end and go at the beginning, which costs the same however many there are. One that comes out of order
 * waits beside the others until they are read; one that goes is passed over until most of them have gone.
 */

/** @typedef {import("./ledger.js").Entry} Entry */
/** @typedef {{ entry: Entry, rank: number }} Node an entry, and its number when it came */

/** Nodes that are passed over without a thought. */
const FEW = 64;

/** The entries. */
export class SortedEntries {
  #rankOf;
  /** @type {Node[]} by rank, from `begin` */
  #nodes = [];
  #begin = 0;
  /** @type {Node[]} */
  #late = [];
  /** @type {Map<Entry, Node>} those that are there */
  #there = new Map();

  /** @param {(entry: Entry) => number} rankOf */
  constructor(rankOf) {
    this.#rankOf = rankOf;
  }

  /** How many there are. */
  get size() {
    return this.#there.size;
  }

  /** @param {Entry} entry one that is there already stays where it is */
  add(entry) {
    if (this.#there.has(entry)) return;
    const node = { entry, rank: this.#rankOf(entry) };
    this.#there.set(entry, node);
    const last = this.#nodes.at(-1);
    (last && node.rank < last.rank ? this.#late : this.#nodes).push(node);
  }

  /** @param {Entry} entry */
  delete(entry) {
    if (!this.#there.delete(entry)) return;
    if (this.#nodes.length + this.#late.length > 2 * this.#there.size + FEW) this.#drop();
  }

  /** The first one. */
  get first() {
    this.#merge();
    while (this.#begin < this.#nodes.length && !this.#isThere(this.#nodes[this.#begin])) this.#begin += 1;
    return this.#nodes[this.#begin]?.entry;
  }

  /** The last one. */
  get last() {
    this.#merge();
    while (this.#nodes.length > this.#begin && !this.#isThere(this.#nodes.at(-1))) this.#nodes.pop();
    return this.#nodes.length > this.#begin ? this.#nodes.at(-1)?.entry : undefined;
  }

  /**
   * All of them; none is added or deleted meanwhile.
   * @returns {Generator<Entry, void, undefined>}
   */
  *[Symbol.iterator]() {
    if (!this.first) return;
    for (let index = this.#begin; index < this.#nodes.length; index++) {
      const node = /** @type {Node} */ (this.#nodes[index]);
      if (this.#isThere(node)) yield node.entry;
    }
  }

  /** @param {Node | undefined} node */
  #isThere(node) {
    return node !== undefined && this.#there.get(node.entry) === node;
  }

  /** Forget the nodes of those that have gone. */
  #drop() {
    this.#nodes = this.#nodes.slice(this.#begin).filter((node) => this.#isThere(node));
    this.#late = this.#late.filter((node) => this.#isThere(node));
    this.#begin = 0;
  }

  /** Put those that came late to their places, each after the others of its rank. */
  #merge() {
    if (!this.#late.length) return;
    const late = this.#late.sort((one, other) => one.rank - other.rank);
    this.#late = [];
    const [lowest, highest] = [late[0], late.at(-1)].map((node) => /** @type {Node} */ (node).rank);
    const [begin, end] = [this.#placeAfter(lowest ?? 0), this.#placeAfter(highest ?? 0)];
    const between = [...this.#nodes.slice(begin, end), ...late].sort((one, other) => one.rank - other.rank);
    this.#nodes = this.#nodes.slice(this.#begin, begin).concat(between, this.#nodes.slice(end));
    this.#begin = 0;
  }

  /**
   * The index after the nodes of at most a rank.
   * @param {number} rank
   */
  #placeAfter(rank) {
    let [low, high] = [this.#begin, this.#nodes.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (/** @type {Node} */ (this.#nodes[middle]).rank <= rank) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
