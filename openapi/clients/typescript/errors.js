/** What a client throws: an error that the service describes, an answer that is not of the service, or none at all. */

/** Everything that this package throws on purpose. */
export class ClientError extends Error {
  /** @param {string} message what went wrong, for people */
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** A value that cannot be sent; `pointer` names its place (RFC 6901). */
export class InvalidItem extends ClientError {
  /**
   * @param {string} pointer
   * @param {string} reason
   */
  constructor(pointer, reason) {
    super(`${pointer || "the item"}: ${reason}`);
    this.pointer = pointer;
    this.reason = reason;
  }
}

/** The outbox cannot do what it was asked for; an item that was to be added is not kept. */
export class OutboxError extends ClientError {}

/** The outbox has as many items or bytes as it may, or the disk is full; nothing is dropped to make room. */
export class OutboxFull extends OutboxError {}

/** An answer that is not in the style of the service, such as a page of a proxy. */
export class UnexpectedAnswer extends ClientError {
  /**
   * @param {number} status 0 if no status was read
   * @param {string} text the first 500 bytes of the body
   * @param {number | null} [retryAfter] seconds
   */
  constructor(status, text, retryAfter = null) {
    super(status ? `${status} ${text}`.trim() : text);
    this.status = status;
    this.text = text;
    this.retryAfter = retryAfter;
  }
}

/** No answer, a part of one, or one of a proxy without its service: the same request may succeed later. */
export class Outage extends UnexpectedAnswer {}

/**
 * An error in the style of the service; each status has a subclass of its own.
 *
 * `code` identifies the problem, `detail` says what is wrong, `help` what to do about it, and `pointer` where in the
 * body it is, each empty if the service does not say. `requestId` is for its operators. `retryAfter` is in seconds.
 * `results` has the result of each item, if the service validated the items of a batch. `body` is the whole answer.
 */
export class ApiError extends ClientError {
  /**
   * @param {number} status
   * @param {Record<string, unknown>} body
   * @param {string} [requestId]
   * @param {number | null} [retryAfter] seconds
   */
  constructor(status, body, requestId = "", retryAfter = null) {
    const detail = text(body.detail) || text(body.error) || text(body.error_description);
    const help = text(body.help);
    super([status, detail && help ? `${detail.replace(/[.]$/, "")}.` : detail, help, requestId && `(request ${requestId})`].filter(Boolean).join(" "));
    const faults = Array.isArray(body.errors) ? body.errors : [];
    this.status = status;
    this.body = body;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
    this.code = (text(body.code) || text(body.type)).split("/").at(-1) ?? "";
    this.detail = detail;
    this.help = help;
    this.pointer = text(body.pointer) || text(faults[0]?.pointer);
    /** @type {unknown[] | null} */
    this.results = Array.isArray(body.results) ? body.results : null;
  }
}

/** 400: the request is not well formed. */
export class BadRequest extends ApiError {}

/** 401: the credentials are missing, wrong or no longer valid. */
export class Unauthorized extends ApiError {}

/** 403: the credentials do not allow it. */
export class Forbidden extends ApiError {}

/** 404: there is nothing by this name for these credentials. */
export class NotFound extends ApiError {}

/** 408: the body arrived too slowly. */
export class RequestTimeout extends ApiError {}

/** 409: the same key was used for something else, or the state has changed. */
export class Conflict extends ApiError {}

/** 410: this version of the API has ended. */
export class Gone extends ApiError {}

/** 413: the body has too many bytes. */
export class ContentTooLarge extends ApiError {}

/** 415: the media type or the coding of the body is unknown. */
export class UnsupportedMediaType extends ApiError {}

/** 422: the content is not valid, or not registered. */
export class UnprocessableContent extends ApiError {}

/** 429: wait for `retryAfter`. */
export class TooManyRequests extends ApiError {}

/** 431: the header fields have too many bytes. */
export class HeadersTooLarge extends ApiError {}

/** 500 and further: the service failed. */
export class ServerError extends ApiError {}

/** 503: the service cannot answer now; wait for `retryAfter`. */
export class Unavailable extends ServerError {}

/** The class of each status; others are ServerError from 500, else ApiError. */
const KINDS = new Map([
  [400, BadRequest],
  [401, Unauthorized],
  [403, Forbidden],
  [404, NotFound],
  [408, RequestTimeout],
  [409, Conflict],
  [410, Gone],
  [413, ContentTooLarge],
  [415, UnsupportedMediaType],
  [422, UnprocessableContent],
  [429, TooManyRequests],
  [431, HeadersTooLarge],
  [503, Unavailable],
]);

/**
 * The class of the errors with a status.
 * @param {number} status
 * @returns {typeof ApiError}
 */
export function kindOf(status) {
  return KINDS.get(status) ?? (status >= 500 ? ServerError : ApiError);
}

/**
 * A text of an answer; empty for anything else.
 * @param {unknown} value
 */
function text(value) {
  return typeof value === "string" ? value : "";
}
