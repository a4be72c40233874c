/** Operations, and the calls of them: one request, or more if the first ones fail in a way that may pass. */

import { ApiError, InvalidItem, Outage, TooManyRequests, Unavailable, UnexpectedAnswer } from "./errors.js";
import { compressed } from "./gzip.js";
import { encoded } from "./json_values.js";
import { failure, valueOf } from "./wire/answers.js";
import { pause, sleep } from "./wire/pauses.js";

const JSON_TYPE = "application/json";
const KEY = "Idempotency-Key";
const SAFE_TO_REPEAT = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);

/**
 * An operation of the contract; `path` is a template with the path of the server. `parameters` has the location (path,
 * query or header) and the name of each parameter, by its name in the options of a method.
 * @typedef {object} Operation
 * @property {string} name
 * @property {string} method
 * @property {string} path
 * @property {Readonly<Record<string, readonly [location: string, name: string]>>} [parameters]
 * @property {boolean} [takesKey]
 * @property {boolean} [takesGzip]
 * @property {string} [accept]
 * @property {string} [mediaType]
 * @property {boolean} [needsCredentials]
 */

/**
 * The values of a call by the names of `parameters`; undefined stands for an absent one.
 * @typedef {Record<string, unknown>} Options
 */

/** @typedef {[name: string, value: unknown][]} Values */

/** @typedef {{ info(text: string): void, warn(text: string): void, error(text: string): void }} Logger */
/** @typedef {import("./wire/credentials.js").Credentials} Credentials */
/** @typedef {import("./wire/connections.js").Connections} Connections */
/** @typedef {import("./wire/connections.js").Opened} Opened */

/** An operation with its values. */
export class Call {
  /** @type {Uint8Array | null} the body in gzip */
  coded = null;

  /**
   * @param {Operation} operation
   * @param {Uint8Array | null} [body]
   * @param {Options} [options] TypeError if one has no name of a parameter
   */
  constructor(operation, body = null, options = {}) {
    this.operation = operation;
    this.body = body;
    this.target = targetOf(operation.path, placed(operation, options, "path"), placed(operation, options, "query"));
    this.fields = fieldsOf(operation, body, placed(operation, options, "header"));
  }

  /** Compress the body, if it may be, now rather than when it is sent. */
  async compress() {
    if (this.operation.takesGzip && this.body) this.coded ??= await compressed(this.body);
  }

  /** True if no harm comes from repeating it. */
  get isSafeToRepeat() {
    return SAFE_TO_REPEAT.has(this.operation.method) || KEY in this.fields;
  }
}

/** Makes the calls of a client. */
export class Caller {
  #connections;
  #credentials;
  #userAgent;
  /** @type {Record<string, string> | null} the credentials of the last request */
  #proof = null;
  /** The version of the contract in the last answer that had one. */
  contractVersion = "";

  /**
   * @param {Connections} connections
   * @param {Credentials} credentials
   * @param {string} userAgent empty in a browser, which has its own
   * @param {number} patienceMs when they are over, a call throws what went wrong last
   * @param {Logger} log
   */
  constructor(connections, credentials, userAgent, patienceMs, log) {
    this.#connections = connections;
    this.#credentials = credentials;
    this.#userAgent = userAgent;
    this.patienceMs = patienceMs;
    this.log = log;
  }

  /**
   * The value of a success; throws an error otherwise.
   * @param {Operation} operation
   * @param {unknown} body undefined if there is none
   * @param {Options} [options]
   * @returns {Promise<any>}
   */
  async call(operation, body, options) {
    return this.callEncoded(operation, body === undefined ? null : encoded(body), options);
  }

  /**
   * Like `call`, with a body that is JSON already.
   * @param {Operation} operation
   * @param {Uint8Array | null} body
   * @param {Options} [options]
   * @returns {Promise<any>}
   */
  async callEncoded(operation, body, options) {
    const call = new Call(operation, body, options);
    return this.#repeated(call, async () => valueOf(await this.exchange(call)));
  }

  /**
   * The success of a call, to be read as a stream; throws an error otherwise.
   * @param {Operation} operation
   * @param {Options} [options]
   */
  async open(operation, options) {
    const call = new Call(operation, null, options);
    return this.#repeated(call, async () => {
      const opened = await this.#send(call, false, false);
      if (opened.status < 200 || opened.status >= 300) throw failure(await opened.answer());
      return opened;
    });
  }

  /**
   * The answer to one request, or to a second one with new credentials; Outage if there is none.
   * @param {Call} call
   * @param {boolean} [keepalive] the page may end: the request is made before this returns, with the credentials of the
   * last one
   */
  async exchange(call, keepalive = false) {
    return (await this.#send(call, true, keepalive)).answer();
  }

  /**
   * Send a request; if its credentials are refused and others can be had, send it once more.
   * @param {Call} call
   * @param {boolean} isWhole
   * @param {boolean} keepalive
   * @returns {Promise<Opened>}
   */
  async #send(call, isWhole, keepalive) {
    const { method, needsCredentials = true } = call.operation;
    if (!keepalive) await call.compress();
    const coded = keepalive ? null : call.coded;
    const fields = { ...call.fields };
    if (coded) fields["Content-Encoding"] = "gzip";
    if (this.#userAgent) fields["User-Agent"] = this.#userAgent;
    for (let isLast = false; ; isLast = true) {
      const last = keepalive && !isLast ? this.#proof : null;
      const proof = needsCredentials ? (last ?? (await this.#credentials.headers())) : {};
      this.#proof = proof;
      const headers = { ...fields, ...proof };
      const opened = await this.#connections.opened(method, call.target, headers, coded ?? call.body, isWhole, keepalive);
      this.contractVersion = opened.headers.get("contract-version") ?? this.contractVersion;
      if (isLast || opened.status !== 401 || !needsCredentials || !(await this.#credentials.refused(proof))) {
        return opened;
      }
      await opened.close();
    }
  }

  /**
   * What `attempt` returns, called again while it fails in a way that may pass, until patience ends.
   * @template T
   * @param {Call} call
   * @param {() => Promise<T>} attempt
   * @returns {Promise<T>}
   */
  async #repeated(call, attempt) {
    const end = performance.now() + this.patienceMs;
    for (let count = 1; ; count++) {
      try {
        return await attempt();
      } catch (error) {
        if (!mayPass(error, call)) throw error;
        const wait = pause(count, error.retryAfter);
        if (performance.now() + wait > end) throw error;
        this.log.info(`${call.operation.name}: ${error.message}; again in ${Math.round(wait)} ms`);
        await sleep(wait);
      }
    }
  }
}

/**
 * True if the same request may succeed later, and no harm comes from repeating it.
 * @param {unknown} error
 * @param {Call} call
 * @returns {error is ApiError | UnexpectedAnswer}
 */
function mayPass(error, call) {
  if (error instanceof TooManyRequests) return true;
  if (!call.isSafeToRepeat) return false;
  return error instanceof Outage || (error instanceof Unavailable && error.results === null);
}

/**
 * The names and values of the parameters at a location.
 * @param {Operation} operation
 * @param {Options} options
 * @param {string} location
 * @returns {Values}
 */
function placed({ name, parameters = {} }, options, location) {
  return Object.entries(options).flatMap(([option, given]) => {
    const parameter = Object.hasOwn(parameters, option) ? parameters[option] : undefined;
    if (!parameter) throw new TypeError(`${name} has no option ${option}: ${Object.keys(parameters).join(", ")}`);
    return parameter[0] === location ? [[parameter[1], given]] : [];
  });
}

/**
 * The path and the query of a request.
 * @param {string} template
 * @param {Values} path
 * @param {Values} query
 */
function targetOf(template, path, query) {
  const target = template.replace(/\{([^{}]*)\}/g, (whole, name) =>
    path.filter(([given]) => given === name).reduce((_, [, value]) => encodeURIComponent(textOf(name, value)), whole),
  );
  if (target.split("/").some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))) {
    throw new InvalidItem("path", "a dot or two are no value: a URL leaves them out");
  }
  const pairs = query.flatMap(([name, given]) =>
    (Array.isArray(given) ? given : [given]).filter(isPresent).map((each) => [name, textOf(name, each)]),
  );
  return pairs.length ? `${target}?${new URLSearchParams(pairs)}` : target;
}

/**
 * The header fields of a request, without those of credentials.
 * @param {Operation} operation
 * @param {Uint8Array | null} body
 * @param {Values} headers
 * @returns {Record<string, string>}
 */
function fieldsOf(operation, body, headers) {
  const { accept = JSON_TYPE, mediaType = JSON_TYPE, takesKey = false } = operation;
  /** @type {Record<string, string>} */
  const fields = { Accept: accept, ...(body && { "Content-Type": mediaType }) };
  for (const [name, given] of headers) {
    if (isPresent(given)) fields[name] = textOf(name, given);
    if (!/^[\t -~]*$/.test(fields[name] ?? "")) {
      throw new InvalidItem(name, "a header field has printable ASCII characters only");
    }
  }
  if (takesKey) fields[KEY] ??= crypto.randomUUID(); // the same for all of its requests
  return fields;
}

/**
 * @param {unknown} given
 */
function isPresent(given) {
  return given !== undefined && given !== null;
}

/**
 * A parameter as text.
 * @param {string} name
 * @param {unknown} given
 */
function textOf(name, given) {
  const text = given instanceof Date ? given.toISOString() : String(given);
  if (/\p{Surrogate}/u.test(text)) throw new InvalidItem(name, "the text has half of a surrogate pair");
  return text;
}
