/** What every client has, whatever its operations. */

/** How a client behaves. */
export interface Options {
  /** For one request and its answer: 30 seconds by default. */
  timeoutMs?: number | undefined;
  /** For a call with all its attempts: 60 seconds by default. A call that may be repeated is, while it fails for now. */
  patienceMs?: number | undefined;
  /** What sends requests in place of the `fetch` of the platform, for a proxy or certificates of your own, say. */
  fetch?: ((url: string, init: any) => Promise<any>) | undefined;
  /** The log of attempts and outages: warnings and errors on the console, by default. */
  logger?: Logger | undefined;
}

/** A part of `console`. */
export interface Logger {
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

/** A text, or a function that is asked for it before each request. */
export type Secret = string | (() => string | Promise<string>);

/** The way to a service, and credentials. */
export class ConnectedClient {
  constructor(url: string, version: string, name: string, credentials: (connections: any) => any, options: Options);
  /** Makes requests; for this package only. */
  readonly caller: any;
  /**
   * The version of the contract that the service has put in place of this client's; empty if it is the same, and
   * before the first answer.
   */
  stale(): string;
}
