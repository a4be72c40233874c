/**
 * Requests that may outlive their page (`keepalive` of `fetch`): a browser allows a page 64 KiB of them at a time.
 *
 * `navigator.sendBeacon` is no way to send: it tells no status, so that an item that was refused for now would be lost.
 */

import { joined } from "../batches.js";

/** @typedef {import("./items.js").Row} Row */

const MAX_BYTES = 60 * 1024;
const MAX_REQUESTS = 9;

/** What is under way, of all outboxes of the page together. */
const underWay = { bytes: 0, requests: 0 };

/**
 * As many of the first rows as one more request may have; none if the page may make no other one.
 * @param {readonly Row[]} rows
 * @param {number} most
 */
export function fitting(rows, most) {
  if (underWay.requests >= MAX_REQUESTS) return [];
  let size = underWay.bytes + 1; // a bracket; each item has a comma or the other bracket
  return rows.slice(0, most).filter((row) => (size += row.body.length + 1) <= MAX_BYTES);
}

/**
 * What `send` gives for a request with `rows`, which counts until then.
 * @template T
 * @param {readonly Row[]} rows
 * @param {() => Promise<T>} send
 */
export async function counted(rows, send) {
  const bytes = joined(rows.map((row) => row.body)).length;
  underWay.bytes += bytes;
  underWay.requests += 1;
  try {
    return await send();
  } finally {
    underWay.bytes -= bytes;
    underWay.requests -= 1;
  }
}
