// Fetches the part of a page that changes by itself, until it no longer says so; without a script a link does the same.
const look = async () => {
  const part = document.querySelector("[data-again]");
  if (!part) return;
  try {
    const text = await (await fetch(location.href, { headers: { accept: "text/html" } })).text();
    const next = new DOMParser().parseFromString(text, "text/html").getElementById(part.id);
    if (next && !part.contains(document.activeElement)) part.replaceWith(next);
  } catch {} // the service is away: the next look may find it
  setTimeout(look, 2000);
};
setTimeout(look, 2000);
