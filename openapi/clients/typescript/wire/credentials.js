/** Credentials: what a request has in `Authorization`. */

import { InvalidItem } from "../errors.js";
import { failure, isObject, unexpected } from "./answers.js";

/** Milliseconds before its end at which a token is replaced; of a short one, a fifth of its life. */
const EARLY = 30_000;

/** @typedef {import("./connections.js").Connections} Connections */
/** @typedef {Record<string, string>} Fields */
/** @typedef {string | (() => string | Promise<string>)} Secret */

/**
 * Makes the header fields of a request. `refused` is called after a 401 to a request with some fields; it is true if
 * another attempt may succeed.
 * @typedef {{ headers(): Promise<Fields>, refused(fields: Fields): Promise<boolean> }} Credentials
 */

/**
 * A key, or a token from somewhere else: a text, or a function that is asked for it before each request.
 * @implements {Credentials}
 */
export class Key {
  #key;
  #header;
  #scheme;

  /**
   * @param {Secret} key
   * @param {string} [header]
   * @param {string} [scheme]
   */
  constructor(key, header = "Authorization", scheme = "Bearer ") {
    if (typeof key !== "function" && (typeof key !== "string" || !key)) {
      throw new TypeError("give the key or token, as a text or as a function that returns it");
    }
    this.#key = key;
    this.#header = header;
    this.#scheme = scheme;
  }

  /** The key as a bearer token (RFC 6750), or as the document says. */
  async headers() {
    const key = typeof this.#key === "function" ? await this.#key() : this.#key;
    if (typeof key !== "string" || !/^[!-~]+$/.test(key)) {
      throw new InvalidItem(this.#header, "a key or token has visible ASCII characters only");
    }
    return { [this.#header]: this.#scheme + key };
  }

  /**
   * True if the function gives another one.
   * @param {Fields} fields
   */
  async refused(fields) {
    return typeof this.#key === "function" && (await this.headers())[this.#header] !== fields[this.#header];
  }
}

/**
 * None are needed.
 * @implements {Credentials}
 */
export class NoCredentials {
  /** No fields. */
  async headers() {
    return {};
  }

  /** False. */
  async refused() {
    return false;
  }
}

/**
 * Access tokens by the client credentials grant (RFC 6749 section 4.4), fetched when they are needed.
 * @implements {Credentials}
 */
export class Tokens {
  #connections;
  #endpoint;
  #authorization;
  #scopes;
  #token = "";
  #until = -Infinity;
  /** @type {Promise<void> | null} */
  #fetching = null;

  /**
   * @param {Connections} connections
   * @param {string} endpoint the path of the token endpoint below the URL of `connections`
   * @param {string} clientId
   * @param {string} clientSecret sent as `client_secret_basic` (RFC 6749 section 2.3.1)
   * @param {readonly string[]} [scopes] all of the client if there are none
   */
  constructor(connections, endpoint, clientId, clientSecret, scopes = []) {
    if (!clientId || !clientSecret) throw new TypeError("give clientId and clientSecret, or give token");
    this.#connections = connections;
    this.#endpoint = endpoint;
    this.#authorization = `Basic ${btoa(`${quoted(clientId)}:${quoted(clientSecret)}`)}`;
    this.#scopes = scopes.join(" ");
  }

  /** A valid token, fetched if there is none; throws what a request throws. */
  async headers() {
    if (performance.now() >= this.#until) {
      this.#fetching ??= this.#fetch().finally(() => (this.#fetching = null)); // calls at one time share a request
      await this.#fetching;
    }
    return { Authorization: `Bearer ${this.#token}` };
  }

  /**
   * True: the next attempt has another token.
   * @param {Fields} fields
   */
  async refused(fields) {
    if (fields.Authorization === `Bearer ${this.#token}`) this.#until = -Infinity; // else another call has replaced it
    return true;
  }

  async #fetch() {
    const fields = {
      Authorization: this.#authorization,
      Accept: "application/json",
      "Content-Type": "application/x-www-form-urlencoded",
    };
    const form = new URLSearchParams({ grant_type: "client_credentials" });
    if (this.#scopes) form.set("scope", this.#scopes);
    const asked = performance.now();
    const answer = await this.#connections.exchange("POST", this.#endpoint, fields, form.toString());
    if (answer.status !== 200) throw failure(answer);
    const body = answer.json;
    if (!isObject(body) || typeof body.access_token !== "string" || !/^[!-~]+$/.test(body.access_token)) {
      throw unexpected(answer);
    }
    const life = typeof body.expires_in === "number" && body.expires_in > 0 ? body.expires_in * 1000 : 60_000;
    this.#token = body.access_token;
    this.#until = asked + life - Math.min(EARLY, life / 5);
  }
}

/**
 * @param {string} text
 */
function quoted(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}
