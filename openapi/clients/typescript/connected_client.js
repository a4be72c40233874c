/** What every client has, whatever its operations. */

import { Caller } from "./operations.js";
import { Connections } from "./wire/connections.js";

const TIMEOUT_MS = 30_000;
const PATIENCE_MS = 60_000;
/** @type {import("./operations.js").Logger} */
const LOGGER = { info() {}, warn: (text) => console.warn(text), error: (text) => console.error(text) };

/**
 * How a client behaves; its declaration has the words.
 * @typedef {object} Options
 * @property {number | undefined} [timeoutMs]
 * @property {number | undefined} [patienceMs]
 * @property {import("./wire/connections.js").Fetch | undefined} [fetch]
 * @property {import("./operations.js").Logger | undefined} [logger]
 */

/** The way to a service, and credentials. */
export class ConnectedClient {
  #version;

  /**
   * @param {string} url that of the service, such as https://reports.example
   * @param {string} version that of the contract
   * @param {string} name that of the package
   * @param {(connections: Connections) => import("./wire/credentials.js").Credentials} credentials
   * @param {Options} options
   */
  constructor(url, version, name, credentials, options) {
    const connections = new Connections(url, options.timeoutMs ?? TIMEOUT_MS, options.fetch);
    const isNode = typeof process !== "undefined" && Boolean(process.versions?.node);
    this.#version = version;
    this.caller = new Caller(
      connections,
      credentials(connections),
      isNode ? `${name}/${version.replace(/[^!-~]/g, "_")}` : "",
      options.patienceMs ?? PATIENCE_MS,
      options.logger ?? LOGGER,
    );
  }

  /**
   * The version of the contract that the service has put in place of this client's; empty if it is the same.
   *
   * It is known from the answers, so before the first one it is empty, too.
   */
  stale() {
    const seen = this.caller.contractVersion;
    return seen === this.#version ? "" : seen;
  }
}
