/** The items that a program reports. */

/** How an outbox behaves. */
export interface OutboxOptions {
  /** The directory of its files, created if absent; on a local disk. In a browser: the name of its database. */
  path: string;
  /** False sends only while `flush` runs, for programs that are frozen between calls. True by default. */
  background?: boolean | undefined;
  /** True: `add` returns when the disk has the item, so that a power cut cannot lose it. False by default. */
  powerSafe?: boolean | undefined;
  /** Items that may wait: 100,000 by default. */
  maxItems?: number | undefined;
  /** Bytes that the files or the database may have, refused items included: 256 MiB by default. */
  maxBytes?: number | undefined;
  /** What is older is deleted, sent or not. Nothing is by default. */
  maxAgeMs?: number | undefined;
  /** How long the sender waits for more items to send at once: 100 by default. */
  lingerMs?: number | undefined;
  /** Called for each item that is refused, by the process or page that sends. */
  onRefused?: ((refused: Refused) => void) | undefined;
}

/** Why an item was refused. `code` is `http_413` and so on where no answer gives a code. */
export interface Reason {
  status: number;
  code: string;
  error: string;
  help: string;
  pointer: string;
}

/** An item that the service refused, and the reason. */
export interface Refused {
  kind: string;
  key: string;
  item: Record<string, unknown>;
  reason: Reason;
  addedAt: Date;
  refusedAt: Date;
}

/** `added` = `sent` + `refused` + `pending` + `expired` + `erased`; a replayed item is pending again. */
export interface Counts {
  added: number;
  sent: number;
  refused: number;
  pending: number;
  expired: number;
  erased: number;
  /** null if nothing is pending. */
  oldestAgeMs: number | null;
  /** What went wrong with the last request; empty after a success. */
  lastError: string;
  /** Seconds that this machine's clock is ahead of the service's. */
  clockSkew: number | null;
}

/** Keeps items and sends them. */
export class KeptItems {
  constructor(caller: any, kinds: readonly any[], storage: any, options: any);
  add(item: any, kind?: string): Promise<string>;
  addAll(items: Iterable<any>, kind?: string): Promise<string[]>;
  /** Wait until everything that was added before is stored or refused; false if that takes longer (10 s by default). */
  flush(options?: { timeoutMs?: number | undefined }): Promise<boolean>;
  /** Flush, stop sending and close the files; false if something is still kept, for the next process. */
  close(options?: { timeoutMs?: number | undefined }): Promise<boolean>;
  /** How many items are where. */
  counts(): Promise<Counts>;
  /** What the service refused, with its reasons, oldest first. */
  refused(): Promise<Refused[]>;
  /** Send refused items again: all, or those with some keys; how many. */
  replay(keys?: readonly string[]): Promise<number>;
  /** Delete the items that `isMeant` picks, refused ones, too; how many. A sent item is the service's. */
  erase(isMeant: (item: any) => boolean): Promise<number>;
}
