/**
 * The logs of an outbox: a directory in which each process appends facts to a file of its own, and reads all files.
 *
 * Why nothing is lost, though there is no lock:
 *
 * 1. A fact is kept when it stands whole in a file that every process reads: those with the suffix `.log`. `append`
 *    writes to the end of the file, then looks whether the file is still at its path. If not, another process has
 *    renamed it, and may have read it before the fact arrived: the facts are written again, to a new file. Facts that
 *    stand twice count once (`ledger.js`), so it does not matter whether the other process saw them.
 * 2. `fold` replaces all files by one that says the same. It first renames them, so that what their writers append
 *    later is noticed by 1, and only then reads them. The new file appears whole, by a rename, and names those that
 *    it replaces; from then on they are not read, whether they are deleted yet or not. A process that is killed in
 *    between leaves files that are read as before, or that are not read any more.
 * 3. A process that is killed while it writes leaves a torn line at the end of its file. It has promised nothing
 *    about it. Each line has a checksum: one that is torn or spoiled is skipped and, in a fold, put aside.
 * 4. Two processes may fold at the same time if one of them was stopped for longer than its lease. One finds that a
 *    file is not where it renamed it to, and gives up. If both get to the end, items stand in both new files: once
 *    (see 1). Only the sums of `counts` may then be too high.
 *
 * Everything here is synchronous, so that within a process nothing comes in between. It costs a few microseconds for
 * an item, and for a fold about as much for each kept one.
 */

import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";

import { attempt, linesFrom, openedIfThere, syncDirectory } from "./file_access.js";
import { Ledger } from "./ledger.js";
import { LineReader } from "./line_reader.js";
import { bodyOf, factOf, isWhole, lineOf } from "./lines.js";
import { OwnLog, SUFFIX, nameOfLog } from "./own_log.js";
import { writeReplacement } from "./replacement.js";

/** @typedef {import("./ledger.js").Entry} Entry */
/** @typedef {import("./ledger.js").Fact} Fact */
/** @typedef {import("./ledger.js").Place} Place */

/** A file: how much of it is read, and whether that has lines that cannot be read, or less than a line comes after it. */
/** @typedef {{ name: string, read: number, isTorn: boolean, isSpoiled: boolean }} Log */

const ASIDE = "unreadable.txt";
const PART = ".part";
/** Milliseconds after which a file that was not finished has no writer any more. */
const OLD_MS = 600_000;

/** The files, and the ledger of what they say. */
export class Logs {
  #directory;
  #log;
  #own;
  /** @type {Map<string, Log>} those that are read, by their names */
  #logs = new Map();
  #replaced = new Set();
  ledger = new Ledger();
  /** Bytes of all files. */
  size = 0;

  /**
   * @param {string} directory created if absent
   * @param {import("../../operations.js").Logger} log
   */
  constructor(directory, log) {
    this.#directory = directory;
    this.#log = log;
    this.#own = new OwnLog(directory);
    attempt(directory, () => fs.mkdirSync(directory, { recursive: true, mode: 0o700 }));
    this.refresh();
  }

  /**
   * Write facts to the end of the own file, all or none; OutboxFull or OutboxError if they cannot be.
   * @param {readonly Fact[]} facts
   */
  append(facts) {
    const lines = facts.map(lineOf);
    const bytes = Buffer.concat(lines);
    const { name, size } = this.#own.append(bytes);
    const log = this.#logOf(name);
    let offset = size - bytes.length;
    for (const [index, fact] of facts.entries()) {
      const length = (lines[index]?.length ?? 1) - 1;
      this.ledger.apply(fact, { log, offset, length });
      offset += length + 1;
    }
    log.read = size;
    this.size += bytes.length;
  }

  /** Read what is new in all files. */
  refresh() {
    attempt(this.#directory, () => {
      while (!this.#refreshed()) this.#forget(); // a file is gone: its facts stand elsewhere
    });
  }

  /**
   * Items with their JSON, as it stands in their files; null in its place if the file is gone, because another process
   * has replaced it.
   * @param {Iterable<Entry>} entries
   * @returns {Generator<[Entry, Buffer | null], void, undefined>}
   */
  *bodies(entries) {
    const reader = new LineReader(this.#directory);
    try {
      for (const entry of entries) {
        const line = reader.line(/** @type {Place} */ (entry.place));
        yield [entry, line && bodyOf(line)];
      }
    } finally {
      reader.close();
    }
  }

  /** Replace all files by one that says the same, without what is gone. */
  fold() {
    attempt(this.#directory, () => {
      const names = this.#names().filter((name) => !this.#replaced.has(name));
      if ([...this.#logs.keys()].some((name) => !names.includes(name))) this.#forget();
      const renamed = names.map((name) => this.#renamed(name));
      this.close();
      const isReplaced = renamed.every((name) => this.#readNew(name) >= 0) && this.#replace(renamed);
      if (!isReplaced) this.#forget(); // another process replaces the files at the same time: it may
      this.#sweep();
    });
    this.refresh();
  }

  /** Wait until what was appended is on the disk, so that a power cut cannot take it. */
  sync() {
    return this.#own.sync();
  }

  /** Close the own file; `append` begins another one. */
  close() {
    this.#own.close();
  }

  #names() {
    const list = () => fs.readdirSync(this.#directory).filter((name) => name.endsWith(SUFFIX));
    for (let names = list(); ; ) {
      const again = list(); // a file that is renamed meanwhile may be missing in one of them
      if (again.join("/") === names.join("/")) return names;
      names = again;
    }
  }

  /** Read what is new; false if a file is gone. */
  #refreshed() {
    const names = new Set(this.#names());
    if ([...this.#logs.keys()].some((name) => !names.has(name))) return false;
    const sizes = [...names].filter((name) => !this.#replaced.has(name)).map((name) => this.#readNew(name));
    this.size = sizes.reduce((sum, size) => sum + size, 0);
    return !sizes.includes(-1) && ![...this.#replaced].some((name) => this.#logs.has(name));
  }

  /** Begin to read from the beginning; what is known to be replaced stays so. */
  #forget() {
    this.#logs.clear();
    this.ledger = new Ledger();
  }

  /**
   * Read what is new in a file; its size, -1 if it is gone.
   * @param {string} name
   */
  #readNew(name) {
    const path = join(this.#directory, name);
    const known = this.#logs.get(name);
    if (known && fs.statSync(path, { throwIfNoEntry: false })?.size === known.read) return known.read;
    const descriptor = openedIfThere(path);
    if (descriptor === null) return -1;
    const log = this.#logOf(name);
    try {
      for (const [line, start] of linesFrom(descriptor, log.read)) {
        log.read = start + line.length + 1;
        const fact = factOf(line);
        if (fact?.t === "replaces") for (const replaced of fact.logs) this.#replaced.add(replaced);
        if (fact) this.ledger.apply(fact, { log, offset: start, length: line.length });
        else log.isSpoiled ||= line.length > 0;
      }
      const { size } = fs.fstatSync(descriptor);
      log.isTorn = log.read < size;
      return size;
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /**
   * What is known of a file.
   * @param {string} name
   */
  #logOf(name) {
    const log = this.#logs.get(name) ?? { name, read: 0, isTorn: false, isSpoiled: false };
    this.#logs.set(name, log);
    return log;
  }

  /**
   * Rename a file, so that its writer notices; its new name.
   * @param {string} name
   */
  #renamed(name) {
    const renamed = `${name.split(".", 1)[0]}.${randomUUID().slice(0, 8)}${SUFFIX}`;
    fs.renameSync(join(this.#directory, name), join(this.#directory, renamed));
    const log = this.#logs.get(name);
    this.#logs.delete(name);
    if (log) this.#logs.set(renamed, Object.assign(log, { name: renamed })); // its items have it, too
    return renamed;
  }

  /**
   * Write what is known to a new file, in place of others; false if another process replaces them at the same time.
   * @param {readonly string[]} names
   */
  #replace(names) {
    const log = { name: nameOfLog(), read: 0, isTorn: false, isSpoiled: false };
    const path = join(this.#directory, log.name);
    const reader = new LineReader(this.#directory);
    try {
      const written = writeReplacement(`${path}${PART}`, this.ledger, names, reader, log);
      if (!written) return false;
      this.#putAside(names);
      fs.renameSync(`${path}${PART}`, path);
      syncDirectory(this.#directory);
      this.ledger.replace(written.places);
      this.#logs = new Map([[log.name, Object.assign(log, { read: written.size })]]);
    } finally {
      reader.close();
    }
    for (const name of names) {
      this.#replaced.add(name);
      fs.rmSync(join(this.#directory, name), { force: true });
    }
    return true;
  }

  /**
   * Keep lines that cannot be read in a file beside the logs, and say so.
   * @param {readonly string[]} names
   */
  #putAside(names) {
    for (const name of names) {
      const { isTorn, isSpoiled } = this.#logOf(name);
      if (!isTorn && !isSpoiled) continue;
      const lines = fs.readFileSync(join(this.#directory, name)).toString("latin1").split("\n");
      const spoiled = lines.filter((line) => line && !isWhole(Buffer.from(line, "latin1")));
      if (!spoiled.length) continue;
      const bytes = Buffer.from(`${spoiled.join("\n")}\n`, "latin1");
      fs.appendFileSync(join(this.#directory, ASIDE), bytes, { mode: 0o600 });
      this.#log.error(`${spoiled.length} lines of ${name} cannot be read: they are now in ${ASIDE} beside it`);
    }
  }

  /** Delete what processes left that were killed while they replaced files, or while they deleted them. */
  #sweep() {
    for (const name of fs.readdirSync(this.#directory)) {
      const path = join(this.#directory, name);
      const age = Date.now() - (fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (this.#replaced.has(name) || (name.endsWith(PART) && age > OLD_MS)) fs.rmSync(path, { force: true });
    }
  }
}
