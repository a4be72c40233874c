/** What the header fields of an answer say to a sender: how fast it may go on, and what time it is. */

const LIMIT = /;\s*([rtqw])=(\d{1,9})/g;

/** @typedef {import("../wire/answers.js").Answer} Answer */

/**
 * Milliseconds until the service would take another full request of `most` items, by its RateLimit and
 * RateLimit-Policy fields; at most a minute.
 * @param {Answer} answer
 * @param {number} most
 */
export function untilFull(answer, most) {
  const state = parametersOf(answer.headers.get("ratelimit"));
  const policy = parametersOf(answer.headers.get("ratelimit-policy"));
  const quota = policy.get("q") ?? 0;
  const remaining = state.get("r");
  if (remaining === undefined || !quota) return 0;
  const missing = Math.min(most, quota) - remaining;
  return Math.min(60_000, Math.max(0, (missing * (policy.get("w") ?? 1) * 1000) / quota));
}

/**
 * Seconds that this machine's clock is ahead of the service's; null if it does not say.
 * @param {Answer} answer
 */
export function clockSkew(answer) {
  const date = Date.parse(answer.headers.get("date") ?? "");
  return Number.isNaN(date) ? null : (Date.now() - date) / 1000;
}

/**
 * @param {string | null} field
 * @returns {Map<string, number>}
 */
function parametersOf(field) {
  return new Map([...(field ?? "").matchAll(LIMIT)].map(([, name = "", value]) => [name, Number(value)]));
}
