/** What an outbox holds, and what it needs of the storage that keeps it. */

/** @typedef {import("../batches.js").Limits} Limits */
/** @typedef {import("../operations.js").Operation} Operation */

/**
 * One kind of items: the operation that takes many of them, and the names of two of their fields.
 * @typedef {{ name: string, operation: Operation, keyField: string, timeField: string, limits: Limits }} Kind
 */

/**
 * An item that is to be added; `isOwn` is true if its key is the caller's. Times are milliseconds since 1970.
 * @typedef {{ kind: string, key: string, isOwn: boolean, body: Uint8Array, addedAt: number }} New
 */

/**
 * An item that waits.
 * @typedef {{ id: string, key: string, body: Uint8Array, attempts: number, addedAt: number }} Row
 */

/**
 * Why an item was refused. `code` is `http_413` and so on where no answer gives a code.
 * @typedef {{ status: number, code: string, error: string, help: string, pointer: string }} Reason
 */

/**
 * An item that the service refused, and the reason.
 * @typedef {object} Refused
 * @property {string} kind
 * @property {string} key
 * @property {Record<string, unknown>} item
 * @property {Reason} reason
 * @property {Date} addedAt
 * @property {Date} refusedAt
 */

/**
 * What is known of the requests of all processes; `pauseUntil` is in milliseconds since 1970, `clockSkew` in seconds.
 * @typedef {{ failures: number, pauseUntil: number, lastError: string, clockSkew: number | null }} State
 */

/**
 * `added` = `sent` + `refused` + `pending` + `expired` + `erased`; a replayed item is pending again.
 * @typedef {object} Counts
 * @property {number} added
 * @property {number} sent
 * @property {number} refused
 * @property {number} pending
 * @property {number} expired
 * @property {number} erased
 * @property {number | null} oldestAgeMs null if nothing is pending
 * @property {string} lastError empty after a success
 * @property {number | null} clockSkew seconds that this machine's clock is ahead of the service's
 */

/**
 * Keeps the items. `due` gives the oldest that may be sent now, as many as one request may have, at most `most`;
 * `nextDue` the milliseconds until there is one, null without items. `settle` removes what is sent, keeps what is
 * refused, and puts the others off, by the milliseconds of `later`. `take` makes this process the sender: it gives the
 * milliseconds to wait, 0 if it may send now.
 * @typedef {object} Storage
 * @property {(rows: readonly New[]) => Promise<void>} add all of them, or none and throw
 * @property {(kind: Kind, most: number, except?: ReadonlySet<string>) => Promise<Row[]>} due without those of some ids
 * @property {() => Promise<number | null>} nextDue
 * @property {(sent: readonly Row[], refused: readonly [Row, Reason][], later: Map<string, number>) => Promise<void>} settle
 * @property {() => Promise<string[]>} pending the ids of what waits
 * @property {(ids: readonly string[]) => Promise<string[]>} waiting those of the ids whose items wait
 * @property {(maxAgeMs: number) => Promise<number>} expire delete what is older; how many were not sent
 * @property {() => Promise<Refused[]>} refused oldest first
 * @property {(keys: readonly string[] | null) => Promise<number>} replay
 * @property {(isMeant: (item: any) => boolean) => Promise<number>} erase
 * @property {() => Promise<Counts>} counts
 * @property {() => Promise<{ wait: number, failures: number }>} take
 * @property {() => Promise<void>} leave let another process send at once
 * @property {(state: Partial<State>) => Promise<void>} note
 * @property {() => Promise<void>} close
 * @property {(kind: Kind) => Row[]} [latest] what this page added and may send when it ends, from memory
 */

export {};
