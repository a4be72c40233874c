/** Answers without an end in sight, such as exports: read as they arrive, in constant memory. */

/** An answer that is read once: as values, one for each line of NDJSON, or as bytes. Outage if it is cut off. */
export class Stream<T> implements AsyncIterable<T> {
  constructor(opened: any);
  /** Without parameters, in lower case. */
  mediaType: string;
  /** The values of the lines. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined>;
  /** The bytes. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /** Stop reading. */
  close(): Promise<void>;
}
