// The pages of somebody who is signed in: they refresh themselves, and can be used by keyboard. They read without it.

const root = document.documentElement.dataset.root;
const main = () => document.getElementById("main");

// Pages from the server are parsed, never written as text: nothing in them runs.
async function fetchPage(address) {
  const response = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (response.redirected && /\/signin\?/.test(response.url)) location.assign(response.url);
  if (!response.ok) throw new Error(`answered ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// Changes what differs and leaves the rest as it is: scroll, focus, what is open and what was typed.
function morph(from, to) {
  if (from.isEqualNode(to) || from.hasAttribute("data-keep") || isInUse(from)) return;
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value && !(name === "open")) from.setAttribute(name, value);
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !["open", "class"].includes(name)) from.removeAttribute(name);
  if (from.dataset.later !== undefined && from.dataset.later === to.dataset.later && from.dataset.loaded) return;
  delete from.dataset.loaded;
  morphChildren(from, to);
}

function morphChildren(from, to) {
  const keyed = new Map([...from.children].filter((one) => one.id).map((one) => [one.id, one]));
  let place = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    let match = wanted.id ? keyed.get(wanted.id) : null;
    if (!wanted.id && place && !place.id && place.nodeType === wanted.nodeType && place.nodeName === wanted.nodeName) match = place;
    if (!match) {
      from.insertBefore(document.importNode(wanted, true), place);
    } else {
      if (match === place) place = place.nextSibling;
      else from.insertBefore(match, place);
      if (match.nodeType === Node.ELEMENT_NODE) morph(match, wanted);
      else if (match.data !== wanted.data) match.data = wanted.data;
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

// A form that somebody is typing into stays.
function isInUse(element) {
  if (element.tagName !== "FORM" || element.id === "bulk") return false;
  const isTyped = (one) => (one.type === "checkbox" || one.type === "radio" ? one.checked !== one.defaultChecked
    : one.tagName === "SELECT" ? [...one.options].some((option) => option.selected !== option.defaultSelected) && one.value !== one.options[0]?.value
    : one.value !== undefined && one.defaultValue !== undefined && one.value !== one.defaultValue);
  return element.contains(document.activeElement) || [...element.elements].some(isTyped);
}

function show(page) {
  const wanted = page.getElementById("main");
  if (!wanted) return;
  const top = scrollY;
  morph(main(), wanted);
  wholeAt = Date.now();
  document.title = page.title;
  if (Math.abs(scrollY - top) > 1) scrollTo(scrollX, top);
  afterShow();
}

function afterShow() {
  localTimes();
  showDown();
  countSelected();
  for (const later of document.querySelectorAll("[data-later]:not([data-loaded])")) seen.observe(later);
}

// Live

let isRefreshing = false;
let timer = 0;

async function refresh() {
  if (isRefreshing || document.hidden) return;
  isRefreshing = true;
  const asked = location.href;
  try {
    if (!(await refreshShown())) {
      const page = await fetchPage(asked);
      if (location.href === asked) show(page);
    }
    document.getElementById("offline").hidden = true;
  } catch {
    document.getElementById("offline").hidden = false;
  } finally {
    isRefreshing = false;
    schedule();
  }
}

// Of many crons only the rows in view are asked for, until any cron stands otherwise; everything every five minutes.
const WHOLE_EVERY_MS = 300_000;
let wholeAt = Date.now();

async function refreshShown() {
  const changes = main().dataset.changes;
  if (changes === undefined || Date.now() - wholeAt > WHOLE_EVERY_MS) return false;
  const shown = rows().filter((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return bottom > -200 && top < innerHeight + 200;
  });
  const ids = shown.slice(0, 100).map((row) => row.id.slice(2)).join("+");
  const page = await fetchPage(`${root}crons/changes?since=${changes}&ids=${ids}${language()}`);
  if (page.getElementById("rows")?.dataset.changes !== changes) return false;
  for (const row of page.querySelectorAll("[data-row]")) {
    const held = document.getElementById(row.id);
    if (held) morph(held, row);
  }
  afterShow();
  return true;
}

function schedule() {
  clearTimeout(timer);
  const seconds = Number(main()?.dataset.live ?? 0);
  if (seconds) timer = setTimeout(refresh, seconds * 1000);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden && main()?.dataset.live) refresh(); });

// What is down shows in the tab's icon as well.
function showDown() {
  const icon = document.querySelector("link[rel=icon]");
  const down = document.querySelector("meta[name=icon-down]");
  if (!icon || !down) return;
  icon.dataset.usual ??= icon.getAttribute("href");
  const wanted = Number(main()?.dataset.down ?? 0) > 0 ? down.content : icon.dataset.usual;
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
}

// The rows behind the first hundred come as they are scrolled to.
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) load(entry.target);
}, { rootMargin: "800px" });

async function load(later) {
  seen.unobserve(later);
  if (later.dataset.loaded) return;
  const ids = later.dataset.later.split(" ");
  later.dataset.loaded = "1";
  later.setAttribute("aria-busy", "true");
  try {
    for (let first = 0; first < ids.length; first += 100) {
      const page = await fetchPage(`${root}crons/rows?ids=${ids.slice(first, first + 100).join("+")}${language()}`);
      const rows = [...page.querySelectorAll("[data-row]")].map((row) => document.importNode(row, true));
      if (first === 0) later.replaceChildren(...rows);
      else later.append(...rows);
    }
  } catch {
    delete later.dataset.loaded;
    setTimeout(() => seen.observe(later), 5000);
  }
  later.removeAttribute("aria-busy");
}

function language() {
  const asked = new URLSearchParams(location.search).get("lang");
  return asked ? `&lang=${encodeURIComponent(asked)}` : "";
}

// Filters change the list at once, and stand in the address.
let typing = 0;

async function applyFilters(form) {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== "" && value !== "worst"));
  const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
  history.replaceState(null, "", address);
  try {
    const page = await fetchPage(address);
    if (location.pathname + location.search === address) show(page);
  } catch {
    document.getElementById("offline").hidden = false;
  }
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-filters]");
  if (form) {
    clearTimeout(typing);
    typing = setTimeout(() => applyFilters(form), event.target.type === "search" ? 250 : 0);
  }
  if (event.target.matches("[data-slug-source]")) suggestSlug(event.target);
  if (event.target.name === "schedule" || event.target.name === "timezone") preview(event.target.form);
});

document.addEventListener("submit", (event) => {
  if (event.target.matches("form[data-filters]")) {
    event.preventDefault();
    applyFilters(event.target);
  }
});

document.addEventListener("change", (event) => { if (event.target.matches("[form=bulk]")) countSelected(); });

function countSelected() {
  const bulk = document.getElementById("bulk");
  if (!bulk) return;
  const number = document.querySelectorAll("[form=bulk]:checked").length;
  const said = bulk.querySelector(".bulk-count");
  bulk.classList.toggle("has-some", number > 0);
  said.textContent = number === 1 ? said.dataset.one : said.dataset.many.replace("{n}", number);
}

// Keyboard

const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility?.() ?? true);

function move(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.classList.contains("current"));
  const next = all[Math.min(all.length - 1, Math.max(0, at === -1 ? 0 : at + by))];
  all[at]?.classList.remove("current");
  next.classList.add("current");
  next.querySelector("a")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target.matches("input[type=search]")) event.target.blur();
  if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]")) return;
  if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "x") document.querySelector("[data-row].current input[type=checkbox]")?.click();
  else if (event.key === "?") document.getElementById("help")?.showModal();
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.account[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// Times in the reader's own zone

// The page's language, as the reader's own country writes it.
function readersLocale() {
  const language = document.documentElement.lang;
  return navigator.languages.find((one) => one.split("-")[0] === language) ?? language;
}

function localTimes() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const full = new Intl.DateTimeFormat(readersLocale(), { dateStyle: "medium", timeStyle: "short" });
  for (const time of document.querySelectorAll("main time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const said = full.format(at);
    if (time.hasAttribute("data-local")) time.textContent = said;
    time.title = `${said} (${zone})`;
  }
  for (const head of document.querySelectorAll("[data-zone-name]")) head.textContent = zone;
}

function suggestSlug(name) {
  const slug = document.getElementById(name.dataset.slugSource);
  if (slug.dataset.touched) return;
  slug.value = name.value.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 63);
  slug.addEventListener("input", () => { slug.dataset.touched = "1"; }, { once: true });
}

// What a schedule means, while it is typed

let previewing = 0;

function preview(form) {
  const place = form?.querySelector("[data-preview]");
  if (!place) return;
  clearTimeout(previewing);
  previewing = setTimeout(async () => {
    const schedule = form.elements.schedule.value.trim();
    if (!schedule) { place.hidden = true; return; }
    const query = new URLSearchParams({ schedule, timezone: form.elements.timezone.value.trim() || "UTC", count: "3", lang: document.documentElement.lang });
    try {
      const answer = await (await fetch(`${root}api/schedules/preview?${query}`)).json();
      const next = (answer.next_runs ?? []).map((at) => new Date(at).toLocaleString(readersLocale(), { dateStyle: "medium", timeStyle: "short" }));
      place.textContent = answer.next_runs ? [answer.description, ...next].join(" · ") : answer.errors?.[0]?.message ?? "";
      place.hidden = !place.textContent;
    } catch { place.hidden = true; }
  }, 300);
}

// The reader's zone is the usual one of something new.
for (const field of document.querySelectorAll("[data-zone]")) {
  if (field.value === "UTC" && !field.getAttribute("aria-invalid")) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
}
// The token of an invitation or a one-time link stands behind the #, in no server's log; the form sends it.
const opening = document.querySelector("form[data-token]");
if (opening && location.hash.length > 1) {
  opening.elements.token.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  opening.submit();
}
// What was done is said once.
const address = new URL(location.href);
if (address.searchParams.has("done")) {
  address.searchParams.delete("done");
  history.replaceState(null, "", address);
}
if (main()) {
  afterShow();
  schedule();
}
