/** The end of a program: that of a process of Node.js, or of a page in a browser, which is not told in advance. */

/**
 * Call `atExit` when a process has nothing more to do, and `atHide` whenever a page may be about to end, which is when it
 * is hidden; returns what ends this.
 * @param {() => unknown} atExit
 * @param {() => unknown} atHide
 */
export function onEnd(atExit, atHide) {
  if (typeof document === "undefined") return typeof process === "undefined" ? () => {} : onExit(atExit);
  const whenHidden = () => void (document.visibilityState === "hidden" && atHide());
  document.addEventListener("visibilitychange", whenHidden);
  addEventListener("pagehide", atHide);
  return () => {
    document.removeEventListener("visibilitychange", whenHidden);
    removeEventListener("pagehide", atHide);
  };
}

/** @param {() => unknown} act */
function onExit(act) {
  process.once("beforeExit", act);
  return () => void process.off("beforeExit", act);
}
