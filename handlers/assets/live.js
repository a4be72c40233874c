// The live tail: shows each submission once, in order, and says when it is behind. Texts are only ever set as text.
const live = document.getElementById("live");
const MOST_ROWS = 500;
const RETRY_MILLISECONDS = 5000;
const RATE_SECONDS = 5;
const WORDS = {
  "not allowed": "You are signed out: sign in again.",
  "unknown position": "The database was restored: load the page again.",
};

if (live && window.EventSource) {
  const [rows, pause, count, rate, state, newest] = ["rows", "pause", "count", "rate", "state", "newest"].map((name) =>
    document.getElementById(`live-${name}`));
  const since = new Date().toLocaleTimeString("en-GB");
  let position = live.dataset.after;
  let source = null;
  let retry = 0;
  let isPaused = false;
  let hasEnded = false;
  let received = 0;
  let recent = [];
  let waiting = []; // rows until the next frame: a burst is drawn once

  document.getElementById("live-controls").hidden = false;
  document.getElementById("live-newer").hidden = true;

  function open() {
    clearTimeout(retry);
    if (source || isPaused || hasEnded || document.hidden) return;
    const url = new URL(live.dataset.stream, location.href);
    url.searchParams.set("after", position);
    source = new EventSource(url);
    source.addEventListener("message", (event) => {
      take(event);
      receive(JSON.parse(event.data));
    });
    source.addEventListener("behind", (event) => {
      take(event);
      const { behind } = JSON.parse(event.data);
      say(`catching up: ${behind > 1e9 ? "far" : behind.toLocaleString("en")} behind`);
      newest.hidden = false;
    });
    source.addEventListener("current", (event) => {
      take(event);
      say("");
      newest.hidden = true;
    });
    source.addEventListener("end", (event) => {
      const { why } = JSON.parse(event.data);
      if (!(why in WORDS)) return;
      hasEnded = true;
      close();
      say(WORDS[why]);
    });
    source.addEventListener("error", () => {
      say("connecting again");
      if (source && source.readyState === EventSource.CLOSED) { // an error status: the browser itself gives up
        close();
        retry = setTimeout(open, RETRY_MILLISECONDS);
      }
    });
  }

  function close() {
    clearTimeout(retry);
    if (source) source.close();
    source = null;
  }

  function take(event) {
    if (event.lastEventId) position = event.lastEventId;
  }

  function say(words) {
    if (state.textContent !== words) state.textContent = words;
  }

  function receive(row) {
    received += 1;
    recent.push(Date.now());
    waiting.push(row);
    if (waiting.length > MOST_ROWS) waiting.shift();
    if (waiting.length === 1) requestAnimationFrame(draw);
  }

  function draw() {
    const empty = document.getElementById("live-empty");
    if (empty && waiting.length) empty.remove();
    rows.prepend(...waiting.reverse().map(element));
    waiting = [];
    while (rows.childElementCount > MOST_ROWS) rows.lastElementChild.remove();
    tell();
  }

  function element(row) {
    const details = document.getElementById(`live-${row.outcome}`).content.firstElementChild.cloneNode(true);
    const time = details.querySelector("time");
    time.dateTime = time.title = row.received_at;
    time.textContent = row.received_at.slice(11, 19);
    details.querySelector(".kind code").textContent = row.event_type || row.code || row.kind;
    details.querySelector(".hub").textContent = row.hub;
    details.addEventListener("toggle", () => fill(details, row), { once: true });
    return details;
  }

  function fill(details, row) {
    for (const [name, value] of Object.entries(row)) {
      if (value === null || name === "payload" || name === "is_cut_off") continue;
      const field = document.createElement("div");
      const text = document.createElement("bdi");
      text.textContent = value;
      field.append(document.createElement("dt"), document.createElement("dd"));
      field.firstChild.textContent = name;
      field.lastChild.append(text);
      details.querySelector("dl").append(field);
    }
    const link = details.querySelector("a");
    if (row.outcome === "accepted" && row.kind !== "event") link.remove();
    else link.href += row.id;
    details.querySelector("pre").textContent = row.payload + (row.is_cut_off ? "…" : "");
  }

  function tell() {
    const from = Date.now() - 1000 * RATE_SECONDS;
    recent = recent.filter((time) => time > from);
    count.textContent = `${received.toLocaleString("en")} since ${since}, none left out`;
    rate.textContent = `${(recent.length / RATE_SECONDS).toFixed(recent.length < 50 ? 1 : 0)} a second`;
  }

  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Go on" : "Pause";
    if (isPaused) close();
    say(isPaused ? "paused: what arrives now is shown when you go on" : "");
    open();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  setInterval(tell, 1000);
  tell();
  open();
}
