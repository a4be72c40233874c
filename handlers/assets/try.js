// Starts Swagger UI on the page that tries requests, as a dry run.
const DRY_RUN = "Dry run is on: nothing is stored. Empty this field to really send.";
const place = document.querySelector("#swagger-ui");

// A header parameter as the page shows it: with a constant Idempotency-Key each content but the first would be a conflict.
function parameter(value) {
  const name = value.name.toLowerCase();
  if (name === "idempotency-key") {
    const { example, examples, ...rest } = value;
    return rest;
  }
  return name === "prefer" ? { ...value, example: "dry-run", description: DRY_RUN } : value;
}

// Texts of contracts without their HTML: only the element stays that Swagger UI itself puts before values.
const OF_HTML = /<(?!\/?i>)(?=[a-z/!?])/gi;
const withoutHtml = (text) => (typeof text === "string" ? text.replace(OF_HTML, "<\u2060") : text);
const TextsOnly = ({ React }) => ({
  wrapComponents: {
    Markdown: (Original) => (given) => React.createElement(Original, { ...given, source: withoutHtml(given.source) }),
  },
});

const isHeader = (value) => value?.in === "header" && typeof value.name === "string";

async function start() {
  const response = await fetch(place.dataset.document, { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`its document is not there (status ${response.status})`);
  const spec = JSON.parse(await response.text(), (_, value) => (isHeader(value) ? parameter(value) : value));
  spec.info = { title: spec.info.title, version: spec.info.version };
  await new Promise((resolve) => SwaggerUIBundle({
    domNode: place, spec, docExpansion: "list", tryItOutEnabled: true, persistAuthorization: false, validatorUrl: null,
    queryConfigEnabled: false, defaultModelsExpandDepth: -1, plugins: [TextsOnly], onComplete: resolve,
  }));
}

// The service takes requests from its pages at its public URL alone.
function leadTo(origin) {
  const link = Object.assign(document.createElement("a"), { href: origin + location.pathname, textContent: origin });
  const remedy = " If the service is not there, its operator has to set IR_PUBLIC_URL.";
  place.append("Nothing can be tried at this address. Open this page at ", link, ".", remedy);
}

function say(error) {
  place.textContent = `This version cannot be tried now: ${error.message}. Load the page again, or read the reference.`;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
if (place.dataset.origin === location.origin) {
  place.setAttribute("aria-busy", "true");
  start().catch(say).finally(() => place.removeAttribute("aria-busy"));
} else {
  leadTo(place.dataset.origin);
}
