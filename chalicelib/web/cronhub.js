// What the pages share. All text comes into a page as text: what a job said is never taken for HTML.

const KEPT = "cronhub-key";
const root = new URL(document.documentElement.dataset.root, location.href);

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export function address(path) {
  return new URL(path, root).href;
}

export function key() {
  return sessionStorage.getItem(KEPT);
}

export function keepKey(text) {
  sessionStorage.setItem(KEPT, text);
}

// The answer's JSON. Throws Problem, with the API's own words.
export async function call(path, { method = "GET", body, authorized = true } = {}) {
  const headers = {};
  if (authorized) headers.Authorization = `Bearer ${key()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(address(path), { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Problem(0, "CronHub does not answer");
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, answer?.detail ?? `answered ${response.status}`);
  return answer;
}

// element("p", { className: "faint" }, "text", other): properties, and `on` for listeners.
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  const { on = {}, ...others } = properties;
  Object.assign(made, others);
  for (const [event, listener] of Object.entries(on)) made.addEventListener(event, listener);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function show(...children) {
  document.querySelector("main").replaceChildren(...children.filter((child) => child !== null));
}

export function trouble(error) {
  return element("p", { className: "trouble", role: "alert" }, error.message);
}

export function badge(word) {
  return element("span", { className: `badge ${word}` }, word.replace("_", " "));
}

export function table(heads, rows) {
  return element("div", { className: "wide" },
    element("table", {},
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((content, place) => cell(content, heads[place])))))));
}

// Each says its column's name as well: where there is no room for a table, it stands before the value.
function cell(content, head) {
  const isCell = content?.tagName === "TD";
  const made = isCell ? content : element("td", { className: typeof content === "number" ? "number" : "" }, content ?? "–");
  made.dataset.head = head;
  return made;
}

// The time in a zone, the reader's own unless given; the exact one shows when pointed at.
export function time(iso, zone) {
  if (!iso) return "–";
  const at = new Date(iso);
  const options = { dateStyle: "medium", timeStyle: "medium", timeZone: zone };
  return element("time", { dateTime: iso, title: iso }, at.toLocaleString("en-GB", options));
}

export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`;
  if (ms < 10000) return `${(ms / 1000).toFixed(1)}\u00a0s`;
  const seconds = Math.round(ms / 1000);
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  let left = seconds;
  const words = [];
  for (const [size, unit] of parts) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count && words.length < 2) words.push(`${count}\u00a0${unit}`);
  }
  return words.join(" ") || "0\u00a0s";
}

// Shows what `load` makes, and again each minute; asks for a key where there is none that is good.
export async function watch(load) {
  const again = async () => {
    if (!key()) return askForKey(again);
    try {
      const made = await load(again);
      const focused = document.activeElement?.id;
      show(...made, foot());
      if (focused) document.getElementById(focused)?.focus();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.status === 401) return askForKey(again, error);
      show(trouble(error), foot());
    }
  };
  await again();
  setInterval(() => {
    // What somebody is writing or choosing is not taken from under their hands.
    const isAtWork = document.activeElement?.matches("select, [data-unsent]");
    if (key() && !document.hidden && !isAtWork) again();
  }, 60000);
}

function foot() {
  const forget = () => {
    sessionStorage.removeItem(KEPT);
    location.reload();
  };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return element("p", { className: "faint row" },
    element("button", { on: { click: forget } }, "Forget the key"), `Times are those of ${zone}, where no other is named.`);
}

function askForKey(then, error) {
  const input = element("input", { id: "key", type: "password", autocomplete: "off", required: true });
  const submit = (event) => {
    event.preventDefault();
    keepKey(input.value.trim());
    then();
  };
  show(
    element("h1", {}, "Your API key"),
    error ? trouble(error) : null,
    element("form", { on: { submit } },
      element("div", { className: "row" },
        element("label", { htmlFor: "key" }, "Key"), input, element("button", {}, "Show"))),
    element("p", { className: "faint" }, "A key of scope read is enough to look. It is kept in this tab, until you close it."));
  input.focus();
}
