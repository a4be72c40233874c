/** Items that a firewall refused, perhaps for what they have: it may also let nothing of this client pass. */

/** How often each was refused, and how many requests had succeeded before that. */
export class Suspects {
  /** @type {Map<string, { successes: number, count: number }>} */
  #known = new Map();

  /**
   * True if the item with a key was refused again after others had passed: the client itself may pass.
   * @param {string} key
   * @param {number} successes
   */
  isProven(key, successes) {
    const suspect = this.#known.get(key) ?? { successes, count: 0 };
    this.#known.set(key, suspect);
    suspect.count += 1;
    return suspect.count > 1 && successes > suspect.successes;
  }

  /** @param {string} key of an item that is refused for good */
  forget(key) {
    this.#known.delete(key);
  }
}
