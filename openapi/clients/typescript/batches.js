/** Many items in requests of limited size, from an iterable; and the results of the items. */

import { ApiError, InvalidItem, UnexpectedAnswer } from "./errors.js";
import { encoded } from "./json_values.js";
import { isObject } from "./wire/answers.js";
import { pause, sleep } from "./wire/pauses.js";

/**
 * What one request may have.
 * @typedef {{ items: number, bytes: number, bytesOfItem: number }} Limits
 */

/**
 * The result of an item.
 * @typedef {Record<string, unknown> & { index: number, status: string }} Result
 */

/** @typedef {import("./operations.js").Caller} Caller */
/** @typedef {import("./operations.js").Operation} Operation */

/**
 * The results in the answer to a batch of `count` items, by their index; what is no result is left out.
 * @param {unknown} body
 * @param {number} count
 * @returns {Map<number, Result>}
 */
export function resultsOf(body, count) {
  const listed = isObject(body) && Array.isArray(body.results) ? body.results : [];
  const found = new Map();
  for (const result of listed) {
    if (!isObject(result) || typeof result.status !== "string" || !Number.isInteger(result.index)) continue;
    const index = Number(result.index);
    if (index >= 0 && index < count && !found.has(index)) found.set(index, result);
  }
  return found;
}

/**
 * A JSON array of values that are JSON already.
 * @param {readonly Uint8Array[]} bodies
 */
export function joined(bodies) {
  const whole = new Uint8Array(bodies.reduce((size, body) => size + body.length + 1, 1) + (bodies.length ? 0 : 1));
  let end = 0;
  for (const body of bodies) {
    whole[end] = end ? 0x2c : 0x5b;
    whole.set(body, end + 1);
    end += body.length + 1;
  }
  if (!end) whole[end++] = 0x5b;
  whole[end] = 0x5d;
  return whole;
}

/**
 * An item as JSON; InvalidItem if it is not, or too large.
 * @param {unknown} item
 * @param {Limits} limits
 */
export function encodedItem(item, limits) {
  const body = encoded(item);
  if (body.length > limits.bytesOfItem) {
    throw new InvalidItem("", `it has ${body.length} bytes, and the service takes ${limits.bytesOfItem}`);
  }
  return body;
}

/**
 * The result of each item, by its index in `items`, in their order; an item is sent again if it may pass.
 *
 * An item that is too large for a request, or no JSON, is InvalidItem, after the results of those before it.
 * @param {Caller} caller
 * @param {Operation} operation
 * @param {Iterable<unknown> | AsyncIterable<unknown>} items
 * @param {Limits} limits
 * @returns {AsyncGenerator<any, void, undefined>}
 */
export async function* eachResult(caller, operation, items, limits) {
  let first = 0;
  for await (const bodies of requests(items, limits)) {
    const results = await sent(caller, operation, bodies);
    for (const index of bodies.keys()) yield { ...results.get(index), index: first + index };
    first += bodies.length;
  }
}

/**
 * The bodies of the items of each request.
 * @param {Iterable<unknown> | AsyncIterable<unknown>} items
 * @param {Limits} limits
 */
async function* requests(items, limits) {
  /** @type {Uint8Array[]} */
  let bodies = [];
  let size = 0;
  let index = 0;
  let fault = null;
  for await (const item of items) {
    const body = bodyAt(index++, item, limits);
    if (body instanceof InvalidItem) {
      fault = body;
      break;
    }
    if (bodies.length && (bodies.length === limits.items || size + body.length + 2 > limits.bytes)) {
      yield bodies;
      [bodies, size] = [[], 0];
    }
    bodies.push(body);
    size += body.length + 1;
  }
  if (bodies.length) yield bodies;
  if (fault) throw fault;
}

/**
 * An item as JSON, or what is wrong with it.
 * @param {number} index
 * @param {unknown} item
 * @param {Limits} limits
 */
function bodyAt(index, item, limits) {
  try {
    return encodedItem(item, limits);
  } catch (error) {
    if (error instanceof InvalidItem) return new InvalidItem(`/${index}${error.pointer}`, error.reason);
    throw error;
  }
}

/**
 * The results of one request; items that may pass are sent again until patience ends.
 * @param {Caller} caller
 * @param {Operation} operation
 * @param {Uint8Array[]} bodies
 */
async function sent(caller, operation, bodies) {
  const end = performance.now() + caller.patienceMs;
  /** @type {Map<number, Result>} */
  const results = new Map();
  let waiting = bodies;
  let places = [...bodies.keys()];
  for (let attempt = 1; ; attempt++) {
    const [answer, floor] = await post(caller, operation, waiting);
    const found = resultsOf(answer, waiting.length);
    if (found.size < waiting.length) {
      throw new UnexpectedAnswer(200, `the answer has ${found.size} results for ${waiting.length} items`);
    }
    for (const [index, result] of found) results.set(places[index] ?? index, result);
    places = places.filter((place) => results.get(place)?.retry === true);
    waiting = bodies.filter((_, place) => results.get(place)?.retry === true);
    const wait = pause(attempt, floor);
    if (!waiting.length || performance.now() + wait > end) return results;
    await sleep(wait);
  }
}

/**
 * The answer to a batch, and the seconds that it asks to wait; an error only if it has no results.
 * @param {Caller} caller
 * @param {Operation} operation
 * @param {Uint8Array[]} bodies
 * @returns {Promise<[unknown, number | null]>}
 */
async function post(caller, operation, bodies) {
  try {
    return [await caller.callEncoded(operation, joined(bodies)), null];
  } catch (error) {
    if (!(error instanceof ApiError) || error.results === null) throw error;
    return [error.body, error.retryAfter];
  }
}
