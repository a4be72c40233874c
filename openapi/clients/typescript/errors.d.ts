/** What a client throws: an error that the service describes, an answer that is not of the service, or none at all. */

/** Everything that this package throws on purpose. */
export class ClientError extends Error {
  constructor(message: string);
}

/** A value that cannot be sent; `pointer` names its place (RFC 6901). */
export class InvalidItem extends ClientError {
  constructor(pointer: string, reason: string);
  pointer: string;
  reason: string;
}

/** The outbox cannot do what it was asked for; an item that was to be added is not kept. */
export class OutboxError extends ClientError {}

/** The outbox has as many items or bytes as it may, or the disk is full; nothing is dropped to make room. */
export class OutboxFull extends OutboxError {}

/** An answer that is not in the style of the service, such as a page of a proxy. */
export class UnexpectedAnswer extends ClientError {
  constructor(status: number, text: string, retryAfter?: number | null);
  /** 0 if no status was read. */
  status: number;
  /** The first 500 bytes of the body. */
  text: string;
  /** Seconds. */
  retryAfter: number | null;
}

/** No answer, a part of one, or one of a proxy without its service: the same request may succeed later. */
export class Outage extends UnexpectedAnswer {}

/** An error in the style of the service; each status has a subclass of its own. */
export class ApiError extends ClientError {
  constructor(status: number, body: Record<string, unknown>, requestId?: string, retryAfter?: number | null);
  status: number;
  /** Identifies the problem; empty, as the next three are, if the service does not say. */
  code: string;
  /** What is wrong. */
  detail: string;
  /** What to do about it. */
  help: string;
  /** Where in the body it is (RFC 6901). */
  pointer: string;
  /** For the operators of the service. */
  requestId: string;
  /** Seconds. */
  retryAfter: number | null;
  /** The result of each item, if the service validated the items of a batch. */
  results: unknown[] | null;
  /** The whole answer. */
  body: Record<string, unknown>;
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

/** The class of the errors with a status. */
export function kindOf(status: number): typeof ApiError;
