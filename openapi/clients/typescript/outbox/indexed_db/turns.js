/**
 * Whose turn it is to send: of all pages of an origin, and their workers, one sends what they share.
 *
 * It is a lock of the browser (Web Locks), which a page that ends leaves, however it ends. Nothing but the number of
 * requests depends on it: the service stores an item once.
 */

/** Milliseconds between two looks at whether the page that sends has left. */
const LOOK_MS = 2000;

/** The turn of this page. */
export class Turns {
  #name;
  /** @type {(() => void) | null} */
  #leave = null;

  /** @param {string} name that of the outbox */
  constructor(name) {
    this.#name = `outbox ${name}`; // the site may have locks of its own
  }

  /** Take the turn, or keep it; the milliseconds until the next attempt, 0 if this page may send. */
  async take() {
    if (this.#leave || (await this.#ask())) return 0;
    return LOOK_MS * (0.5 + Math.random() / 2);
  }

  /** Let another page send at once. */
  leave() {
    this.#leave?.();
    this.#leave = null;
  }

  /** @returns {Promise<boolean>} */
  #ask() {
    return new Promise((resolve, reject) => {
      /** @param {Lock | null} lock @returns {Promise<void>} */
      const hold = (lock) => {
        const held = new Promise((/** @type {(value: void) => void} */ leave) => {
          if (lock) this.#leave = leave;
          else leave();
        });
        resolve(lock !== null);
        return held;
      };
      navigator.locks.request(this.#name, { ifAvailable: true }, hold).catch(reject);
    });
  }
}
