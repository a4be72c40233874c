/** Requests to one origin, by `fetch`. Redirects are answers like others: credentials go to no other host. */

import { Outage } from "../errors.js";
import { Answer } from "./answers.js";

/** Limit on an answer that is read as a whole. */
const MAX_BYTES = 64 * 1024 * 1024;

/** @typedef {(url: string, init: any) => Promise<any>} Fetch */

/** Sends requests to the origin of a URL. */
export class Connections {
  #base;
  #fetch;

  /**
   * @param {string} url such as https://reports.example; TypeError if it is no URL of a service
   * @param {number} timeoutMs for one request and its answer
   * @param {Fetch} [fetch] in place of the one of the platform
   */
  constructor(url, timeoutMs, fetch = (target, init) => globalThis.fetch(target, init)) {
    const { protocol, username, password, search, hash, origin, pathname } = new URL(url);
    if (!["http:", "https:"].includes(protocol) || username || password || search || hash) {
      const shown = JSON.stringify(url.slice(url.lastIndexOf("@") + 1)); // a password is for nobody's log
      throw new TypeError(`${shown} is no URL of a service, such as https://reports.example`);
    }
    this.#base = origin + pathname.replace(/\/+$/, "");
    this.timeoutMs = timeoutMs;
    this.#fetch = fetch;
  }

  /**
   * The whole URL of `target`, a path; TypeError for anything else, which could name another host.
   * @param {string} target
   */
  url(target) {
    if (!target.startsWith("/")) throw new TypeError(`${JSON.stringify(target)} is no path`);
    return this.#base + target;
  }

  /**
   * The whole answer to a request; Outage if none arrives within the timeout, or a part of one.
   * @param {string} method
   * @param {string} target
   * @param {Record<string, string>} headers
   * @param {Uint8Array | string | null} [body]
   */
  async exchange(method, target, headers, body = null) {
    return (await this.opened(method, target, headers, body, true)).answer();
  }

  /**
   * The head of an answer, and its body to be read; the timeout is for all of it if `isWhole`, else for each part.
   * @param {string} method
   * @param {string} target
   * @param {Record<string, string>} headers
   * @param {Uint8Array | string | null} body
   * @param {boolean} isWhole
   * @param {boolean} [keepalive] let the request outlive its page
   */
  async opened(method, target, headers, body, isWhole, keepalive = false) {
    const url = this.url(target);
    const deadline = new Deadline(this.timeoutMs, isWhole);
    const init = { method, headers, body, redirect: "manual", credentials: "omit", cache: "no-store", keepalive };
    try {
      /** @type {Response} */
      const response = await this.#fetch(url, { ...init, signal: deadline.signal });
      return new Opened(response, deadline);
    } catch (error) {
      deadline.end();
      throw new Outage(0, deadline.reason(error));
    }
  }
}

/** An answer whose head has arrived; its body is read once. */
export class Opened {
  #response;
  #deadline;

  /**
   * @param {Response} response
   * @param {Deadline} deadline
   */
  constructor(response, deadline) {
    this.#response = response;
    this.#deadline = deadline;
    this.status = response.status;
    this.headers = response.headers;
  }

  /**
   * The bytes of the body as they arrive; Outage if they end too early.
   * @returns {AsyncGenerator<Uint8Array, void, undefined>}
   */
  async *chunks() {
    const reader = this.#response.body?.getReader();
    try {
      for (;;) {
        this.#deadline.extend();
        const part = await reader?.read();
        if (!part || part.done) return;
        this.#deadline.pause();
        yield part.value;
      }
    } catch (error) {
      throw new Outage(this.status, this.#deadline.reason(error));
    } finally {
      this.#deadline.end();
      reader?.cancel().catch(() => {});
    }
  }

  /** The rest of the answer as a whole. */
  async answer() {
    const parts = [];
    let size = 0;
    for await (const chunk of this.chunks()) {
      parts.push(chunk);
      size += chunk.length;
      if (size > MAX_BYTES) throw new Outage(this.status, `the answer has more than ${MAX_BYTES} bytes`);
    }
    return new Answer(this.status, this.headers, concatenated(parts, size));
  }

  /** Stop reading. */
  async close() {
    this.#deadline.end();
    if (!this.#response.bodyUsed && !this.#response.body?.locked) await this.#response.body?.cancel().catch(() => {});
  }
}

/** The end of the time for an exchange, or for each part of it. */
class Deadline {
  #abort = new AbortController();
  #milliseconds;
  #isWhole;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {number} milliseconds
   * @param {boolean} isWhole
   */
  constructor(milliseconds, isWhole) {
    this.#milliseconds = milliseconds;
    this.#isWhole = isWhole;
    this.#begin();
  }

  /** Aborts the request when the time is over. */
  get signal() {
    return this.#abort.signal;
  }

  /** Begin the time of the next part. */
  extend() {
    if (!this.#isWhole) this.#begin();
  }

  /** Stop the time while the program handles a part. */
  pause() {
    if (!this.#isWhole) this.end();
  }

  /** Stop the time. */
  end() {
    clearTimeout(this.#timer);
  }

  /**
   * What happened, for people.
   * @param {unknown} error
   */
  reason(error) {
    if (this.signal.aborted) return "the service did not answer in time";
    if (!(error instanceof Error)) return String(error);
    const cause = error.cause instanceof Error ? `: ${error.cause.message || error.cause.name}` : "";
    return `${error.name}: ${error.message}${cause}`;
  }

  #begin() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#abort.abort(), this.#milliseconds);
    if (typeof this.#timer === "object") this.#timer.unref(); // on Node; the request itself keeps the process awake
  }
}

/**
 * @param {Uint8Array[]} parts
 * @param {number} size
 */
function concatenated(parts, size) {
  const whole = new Uint8Array(size);
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}
