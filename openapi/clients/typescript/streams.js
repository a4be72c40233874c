/** Answers without an end in sight, such as exports: read as they arrive, in constant memory. */

import { Outage, UnexpectedAnswer } from "./errors.js";
import { parsed } from "./wire/answers.js";

const NDJSON = "application/x-ndjson";
const SHOWN = 500;
/** Characters of a line. */
const MAX_LINE = 16 * 1024 * 1024;

/** An answer that is read once: as values, one for each line of NDJSON, or as bytes. Outage if it is cut off. */
export class Stream {
  #opened;

  /** @param {import("./wire/connections.js").Opened} opened */
  constructor(opened) {
    this.#opened = opened;
    this.mediaType = (opened.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  }

  /**
   * The values of the lines.
   * @returns {AsyncGenerator<any, void, undefined>}
   */
  async *[Symbol.asyncIterator]() {
    const { status } = this.#opened;
    if (this.mediaType !== NDJSON) {
      await this.close();
      throw new UnexpectedAnswer(status, `the answer is ${this.mediaType}, not ${NDJSON}: read its chunks`);
    }
    for await (const line of this.#lines()) {
      const value = parsed(line);
      if (value === undefined) throw new UnexpectedAnswer(status, line.slice(0, SHOWN));
      yield value;
    }
  }

  /** The bytes. */
  chunks() {
    return this.#opened.chunks();
  }

  /** Stop reading. */
  async close() {
    await this.#opened.close();
  }

  async *#lines() {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.chunks()) {
      const lines = decoder.decode(chunk, { stream: true }).split("\n");
      lines[0] = rest + lines[0];
      rest = lines.pop() ?? "";
      yield* lines.filter((line) => line.trim());
      if (rest.length > MAX_LINE) throw new UnexpectedAnswer(this.#opened.status, "a line of the answer does not end");
    }
    if (rest.trim()) throw new Outage(this.#opened.status, "the last line of the answer is cut off");
  }
}
