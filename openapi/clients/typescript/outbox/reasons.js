/** Why an item was refused, as the service says it. */

import { ApiError } from "../errors.js";
import { isObject } from "../wire/answers.js";

/** @typedef {import("../wire/answers.js").Answer} Answer */
/** @typedef {import("./items.js").Reason} Reason */

/**
 * The reason in a result, which is in the style of either version.
 * @param {Answer} answer
 * @param {Record<string, unknown>} result
 * @returns {Reason}
 */
export function reasonOf(answer, result) {
  const problem = isObject(result.problem) ? result.problem : result;
  const { code, detail, help, pointer } = new ApiError(answer.status, problem);
  const status = typeof problem.status === "number" ? problem.status : answer.status;
  return { status, code: code || `http_${status}`, error: detail, help, pointer };
}
