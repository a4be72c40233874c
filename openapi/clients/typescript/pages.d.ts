/** Lists, read page by page. */

/**
 * The items of all pages of a list; those of `follow` also have what comes later, without end.
 *
 * After an error, `next` asks for the same page again.
 */
export class Items<T> implements AsyncIterableIterator<T, undefined> {
  constructor(fetch: (cursor: string | undefined) => Promise<Record<string, any>>, cursor: string | undefined, pollMs?: number);
  /**
   * Where to continue a list: it begins with the page of the item that was returned last, so that no item is lost if
   * the program stops while it handles one.
   */
  cursor: string | undefined;
  [Symbol.asyncIterator](): this;
  next(): Promise<IteratorResult<T, undefined>>;
}
