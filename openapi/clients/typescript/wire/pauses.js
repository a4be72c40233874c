/** Pauses between attempts: growing, random, and never shorter than the service asks. */

/**
 * Milliseconds before the next attempt, after `attempt` of them (from 1) have failed.
 *
 * They double from `first` to `most`; half of them is random, so that clients do not come back together. What the
 * service asks for, `floor`, is a minimum, with the random part on top.
 * @param {number} attempt
 * @param {number | null} floor seconds, as in `Retry-After`
 * @param {number} [first] milliseconds
 * @param {number} [most] milliseconds
 */
export function pause(attempt, floor, first = 500, most = 120_000) {
  const whole = Math.min(most, first * 2 ** Math.min(attempt - 1, 30));
  if (floor === null) return whole / 2 + (Math.random() * whole) / 2;
  return floor * 1000 + Math.random() * Math.max(whole / 2, (floor * 1000) / 4);
}

/**
 * Wait for what a caller awaits: the timer keeps the process awake.
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function sleep(ms) {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/**
 * Let what has happened meanwhile be handled. On Node.js that is also what makes a request go out; a browser has its own
 * processes for that, and none of its timers is as fast in a page that is hidden.
 * @returns {Promise<void>}
 */
export function turn() {
  return typeof setImmediate === "function" ? new Promise((resolve) => void setImmediate(resolve)) : Promise.resolve();
}

/**
 * What `promise` gives, or undefined if that takes longer; the timer keeps the process awake until then.
 * @template T
 * @param {Promise<T>} promise
 * @param {number} ms
 * @returns {Promise<T | undefined>}
 */
export async function within(promise, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  try {
    return /** @type {T | undefined} */ (await Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
}
