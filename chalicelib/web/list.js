import { address, badge, call, element, table, time, watch } from "./cronhub.js";

const WORST_FIRST = ["down", "late", "blocked", "running", "new", "up", "in_maintenance", "paused"];
const MOST_PAGES = 10;
let isCutOff = false;
const chosen = { text: "", status: "" };

async function everyCron() {
  const found = [];
  let cursor = null;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const query = new URLSearchParams({ limit: "1000", ...(cursor ? { cursor } : {}) });
    const answer = await call(`api/crons?${query}`);
    found.push(...answer.crons);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  isCutOff = cursor !== null;
  const fullName = (cron) => `${cron.product}/${cron.service}/${cron.name}`;
  return found
    .map((cron) => ({ ...cron, fullName: fullName(cron), rank: WORST_FIRST.indexOf(cron.status) }))
    .sort((one, other) => one.rank - other.rank || one.fullName.localeCompare(other.fullName));
}

function row(cron) {
  return [
    badge(cron.status),
    element("a", { href: address(`crons/${cron.id}`) }, cron.fullName),
    cron.schedule ? `${cron.schedule}${cron.timezone === "UTC" ? "" : ` ${cron.timezone}`}` : "no set times",
    cron.last_run ? element("span", {}, badge(cron.last_run.status), " ", time(cron.last_run.finished_at)) : "–",
    time(cron.next_expected_at),
    cron.incident ? element("span", { className: "down" }, `${cron.reason}, since `, time(cron.incident.opened_at)) : "–",
  ];
}

function listed(crons) {
  const text = chosen.text.toLowerCase();
  const wanted = crons.filter((cron) =>
    (!chosen.status || cron.status === chosen.status)
    && (!text || `${cron.fullName} ${cron.description} ${cron.tags.join(" ")}`.toLowerCase().includes(text)));
  const counted = `${wanted.length} of ${crons.length}${isCutOff ? ", the first that there are: the API lists them all" : ""}`;
  return [
    element("p", { className: "faint" }, counted),
    table(["Status", "Cron", "Schedule", "Last run", "Next", "Incident"], wanted.map(row)),
  ];
}

await watch(async () => {
  const crons = await everyCron();
  const list = element("section", {}, ...listed(crons));
  const refine = (name) => (event) => {
    chosen[name] = event.target.value;
    list.replaceChildren(...listed(crons));
  };
  const statuses = WORST_FIRST.map((status) => element("option", { value: status }, status.replace("_", " ")));
  const status = element("select", { id: "status", on: { change: refine("status") } }, element("option", { value: "" }, "any status"), ...statuses);
  status.value = chosen.status;
  return [
    element("h1", {}, "Crons"),
    element("div", { className: "row" },
      element("label", { htmlFor: "search" }, "Search"),
      element("input", { id: "search", type: "search", value: chosen.text, on: { input: refine("text") } }),
      element("label", { htmlFor: "status" }, "Status"), status),
    crons.length ? list : element("p", {}, "There are none yet: POST api/crons/register makes them."),
  ];
});
