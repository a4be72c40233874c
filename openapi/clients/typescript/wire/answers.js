/** An answer as it arrived, and what it means: a value, or one of the errors. */

import { Outage, UnexpectedAnswer, kindOf } from "../errors.js";

const SHOWN_BYTES = 500;
/** Seconds: a `Retry-After` that is longer, or a date that the clocks of two machines make longer, counts as this. */
const MAX_PAUSE = 3600;
/** Statuses after which the same request may succeed. */
export const TRANSIENT = new Set([408, 425, 429, 500, 502, 503, 504]);
const DATE = /^[A-Za-z]{3,9},? [\w :,+-]{10,40}$/;

/** A status, header fields, and the body without its coding. */
export class Answer {
  /**
   * @param {number} status
   * @param {Headers} headers
   * @param {Uint8Array} body
   */
  constructor(status, headers, body) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** Seconds to wait (RFC 9110 section 10.2.3), at most an hour; null without a header that can be read. */
  get retryAfter() {
    return seconds(this.headers.get("retry-after") ?? "");
  }

  /**
   * The value of the body; undefined if it is not JSON.
   * @returns {unknown}
   */
  get json() {
    return parsed(new TextDecoder().decode(this.body));
  }
}

/**
 * The value of a JSON text; undefined if it is none.
 * @param {string} text
 * @returns {unknown}
 */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The seconds that a `Retry-After` names, from 0 to an hour; null if it cannot be read.
 * @param {string} text
 */
export function seconds(text) {
  if (/^\d+$/.test(text)) return Math.min(Number(text.slice(0, 9)), MAX_PAUSE);
  const date = DATE.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? null : Math.min(Math.max((date - Date.now()) / 1000, 0), MAX_PAUSE);
}

/**
 * The JSON value of a success; throws ApiError, UnexpectedAnswer or Outage for everything else.
 * @param {Answer} answer
 * @returns {unknown}
 */
export function valueOf(answer) {
  if (answer.status < 200 || answer.status >= 300) throw failure(answer);
  if (answer.status === 204) return null;
  const result = answer.json;
  if (result === undefined || result === null) throw unexpected(answer);
  return result;
}

/**
 * The error of an answer that is no success.
 * @param {Answer} answer
 */
export function failure(answer) {
  const body = answer.status >= 400 ? answer.json : undefined;
  if (!isOurs(body)) return unexpected(answer);
  return new (kindOf(answer.status))(
    answer.status,
    { help: challenged(answer), ...body },
    answer.headers.get("x-request-id") ?? "",
    answer.retryAfter,
  );
}

/**
 * What `WWW-Authenticate` (RFC 6750 section 3) says of the credentials; empty without it.
 * @param {Answer} answer
 */
function challenged(answer) {
  return /error_description="([^"]*)"/.exec(answer.headers.get("www-authenticate") ?? "")?.[1] ?? "";
}

/**
 * True for an error in the style of the service: problem details (RFC 9457), `error` in words, or results.
 * @param {unknown} body
 * @returns {body is Record<string, unknown>}
 */
export function isOurs(body) {
  if (!isObject(body)) return false;
  const isProblem = typeof body.type === "string" && typeof body.title === "string";
  return isProblem || typeof body.error === "string" || Array.isArray(body.results);
}

/**
 * True for an object of JSON.
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The error of an answer that is not in the style of the service.
 * @param {Answer} answer
 */
export function unexpected(answer) {
  const kind = TRANSIENT.has(answer.status) ? Outage : UnexpectedAnswer;
  return new kind(answer.status, shown(answer.body), answer.retryAfter);
}

/**
 * The beginning of a body, for people.
 * @param {Uint8Array} body
 */
export function shown(body) {
  return new TextDecoder().decode(body.subarray(0, SHOWN_BYTES));
}
