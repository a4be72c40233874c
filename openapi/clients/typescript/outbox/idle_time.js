/** The pauses of the background, which keep no process awake, and end when enough was added. */

/** A pause, and what was added since the last step. */
export class IdleTime {
  #added = 0;
  #isOver = false;
  #end = () => {};

  /** Begin to count what is added. */
  reset() {
    this.#added = 0;
  }

  /** @param {number} count items that were added */
  add(count) {
    this.#added += count;
    this.#end();
  }

  /** End this pause, and every later one. */
  close() {
    this.#isOver = true;
    this.#end();
  }

  /**
   * Wait, at most until `enough` items are added; without it for the whole time.
   * @param {number} ms
   * @param {number} [enough]
   * @returns {Promise<void>}
   */
  wait(ms, enough = Infinity) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      if (typeof timer === "object") timer.unref();
      this.#end = () => {
        if (!this.#isOver && this.#added < enough) return;
        clearTimeout(timer);
        resolve();
      };
      this.#end();
    });
  }
}
