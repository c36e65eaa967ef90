// The documentation: fills every line with the reader's own values, and searches. The page reads without it.

const root = new URL(document.documentElement.dataset.root, location.href);

// Values are kept in the page only. What could end a word of a command line is left out of them.
function prepareValues(form) {
  const slots = new Map();
  for (const slot of document.querySelectorAll(".slot")) {
    slot.dataset.given = slot.textContent;
    slots.set(slot.dataset.slot, [...(slots.get(slot.dataset.slot) ?? []), slot]);
  }
  const fill = (input) => {
    const value = input.value.trim().replace(/[^\w.:/@~-]/g, "");
    for (const slot of slots.get(input.dataset.fills) ?? []) {
      slot.textContent = value || slot.dataset.given;
      slot.classList.toggle("filled", Boolean(value));
    }
  };
  const address = root.href.replace(/\/$/, "");
  if (!form) {
    for (const slot of slots.get("base") ?? []) slot.textContent = address;
    return;
  }
  form.hidden = false;
  form.addEventListener("input", (event) => fill(event.target));
  form.addEventListener("submit", (event) => event.preventDefault());
  const base = form.querySelector("[data-fills=base]");
  base.value ||= address;
  for (const input of form.querySelectorAll("input")) fill(input);
}

function prepareSearch(box) {
  box.hidden = false;
  const input = box.querySelector("input");
  const found = box.querySelector("[role=status]");
  const operations = [...document.querySelectorAll("[data-search]")];
  const texts = new Map(operations.map((one) => [one, plain(`${one.dataset.search} ${one.querySelector(".operation-text").textContent}`)]));
  input.addEventListener("input", () => {
    const words = plain(input.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const one of operations) {
      one.hidden = !words.every((word) => texts.get(one).includes(word));
      count += !one.hidden;
    }
    for (const group of document.querySelectorAll(".operations")) group.hidden = !group.querySelector(".operation:not([hidden])");
    for (const part of document.querySelectorAll(".docs-main > :not(.operations)")) part.hidden = words.length > 0;
    for (const group of document.querySelectorAll(".side-group")) {
      for (const item of group.querySelectorAll("li")) item.hidden = document.getElementById(item.firstElementChild.hash.slice(1)).hidden;
      group.hidden = !group.querySelector("li:not([hidden])");
      if (words.length) group.open = true;
    }
    found.textContent = !words.length ? "" : count ? String(count) : found.dataset.none;
    if (words.length) scrollTo({ top: 0 });
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    input.value = "";
    input.dispatchEvent(new Event("input"));
  });
}

function plain(text) {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
}

// A link to an object, or to an operation in a closed group, opens what it leads to.
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName === "DETAILS") target.open = true;
  const link = document.querySelector(`.side-group a[href="${CSS.escape(location.hash).replace(/^\\#/, "#")}"]`);
  if (link) link.closest("details").open = true;
  for (const current of document.querySelectorAll(".docs-side a[aria-current=location]")) current.removeAttribute("aria-current");
  link?.setAttribute("aria-current", "location");
}

// On a narrow page the contents unfold.
function prepareMenu(menu, side) {
  const follow = () => side.classList.toggle("open", menu.open);
  menu.addEventListener("toggle", follow);
  side.addEventListener("click", (event) => { if (event.target.closest("a")) menu.open = false; });
  follow();
}

prepareValues(document.getElementById("values"));
const search = document.querySelector(".docs-search");
if (search) prepareSearch(search);
prepareMenu(document.querySelector(".docs-menu"), document.querySelector(".docs-side"));
addEventListener("hashchange", openTarget);
openTarget();
