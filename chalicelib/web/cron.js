import { badge, call, duration, element, Problem, table, time, trouble, watch } from "./cronhub.js";

const id = location.pathname.split("/").filter(Boolean).at(-1);
const path = `api/crons/${id}`;
const PERIODS = ["24h", "7d", "30d", "90d"];

function facts(cron) {
  const rows = [
    ["Schedule", cron.schedule ?? "no set times"],
    [`Next (${cron.timezone})`, cron.next_runs.length ? list(cron.next_runs.slice(0, 3).map((at) => time(at, cron.timezone))) : "–"],
    ["Grace", cron.effective_grace_seconds === null ? "–" : duration(cron.effective_grace_seconds * 1000)],
    ["Longest runtime", cron.max_runtime_seconds === null ? "not set" : duration(cron.max_runtime_seconds * 1000)],
    ["Last signal", time(cron.last_signal_at)],
    ["Tags", cron.tags.join(", ") || "–"],
    ["Waits for", names(cron.dependencies)],
    ["Waited for by", names(cron.dependants)],
  ];
  return element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function list(items) {
  return element("span", {}, ...items.flatMap((item, place) => (place ? [", ", item] : [item])));
}

function names(crons) {
  if (!crons.length) return "–";
  return list(crons.map((cron) => element("span", {}, element("a", { href: cron.id }, cron.name), " ", badge(cron.status))));
}

function figures(cron) {
  const percent = (value) => (value === null || value === undefined ? "–" : `${value}\u00a0%`);
  const rows = PERIODS.map((name) => {
    const sums = cron.stats[name];
    const sla = cron.sla[name];
    return [
      name, sums.runs, sums.ok, sums.failed, sums.timed_out, sums.missed, sums.excused, percent(sums.success_rate),
      duration(sums.average_duration_ms), duration(sums.p95_ms),
      element("td", { className: sla.met === false ? "down" : "" }, percent(sla.compliance)),
      percent(sla.error_budget_left_percent),
    ];
  });
  const heads = ["Last", "Runs", "Ok", "Failed", "Timed out", "Missed", "Excused", "Success", "Average", "p95", `SLA (${cron.sla.target} %)`, "Budget left"];
  return table(heads, rows);
}

function runRow(run) {
  const when = run.started_at ?? run.finished_at ?? run.scheduled_at;
  const more = run.occurrences > 1 ? `${run.occurrences} times` : "";
  return [
    badge(run.status),
    time(when),
    duration(run.duration_ms),
    [run.exit_code === null ? "" : `exit ${run.exit_code}`, run.late ? "late" : "", run.anomaly ? `unusually ${run.anomaly.kind}` : "", run.excused ?? "", more].filter(Boolean).join(", "),
    run.message ? element("pre", {}, run.message) : "",
  ];
}

function incidentPart(incident, channels, act) {
  const note = element("input", { id: "note", maxLength: 1000 });
  note.dataset.unsent = "";
  const handle = (where) => () => act(where, note.value ? { note: note.value } : {});
  const timeline = incident.timeline.map((one) => [time(one.at), one.what, [one.by, one.detail].filter(Boolean).join(": ")]);
  const told = incident.alerts.flatMap((alert) => alert.deliveries.map((one) =>
    [time(alert.at), alert.kind, channels.get(one.channel_id) ?? "a deleted channel", badge(one.state), one.attempts, one.error ?? "", time(one.next_at)]));
  return [
    element("h2", {}, `Incident: ${incident.reason}`),
    table(["When", "What", "Detail"], timeline),
    told.length ? table(["Alert of", "Kind", "Channel", "Delivery", "Tries", "Last error", "Next try"], told) : element("p", { className: "faint" }, "No channel was told."),
    element("p", { className: "row" },
      element("label", { htmlFor: "note" }, "Note"), note,
      incident.acknowledged_at ? null : element("button", { on: { click: handle(`api/incidents/${incident.id}/acknowledge`) } }, "Acknowledge"),
      element("button", { on: { click: handle(`api/incidents/${incident.id}/resolve`) } }, "Resolve")),
  ];
}

await watch(async (again) => {
  const [cron, { runs }] = await Promise.all([call(path), call(`${path}/runs?limit=20`)]);
  const incident = cron.incident ? await call(`api/incidents/${cron.incident.id}`) : null;
  const channels = incident ? new Map((await call("api/channels?limit=1000")).channels.map((one) => [one.id, one.name])) : null;
  const said = element("div", {});
  const act = async (where, body) => {
    try {
      await call(where, { method: "POST", body });
      await again();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      said.replaceChildren(trouble(error));
    }
  };
  document.title = `${cron.status}: ${cron.name} - CronHub`;
  const paused = cron.status === "paused";
  const switchOver = () => act(`${path}/${paused ? "resume" : "pause"}`);
  return [
    element("h1", {}, `${cron.product}/${cron.service}/${cron.name} `, badge(cron.status), cron.reason ? ` ${cron.reason}` : ""),
    cron.description ? element("p", {}, cron.description) : null,
    said,
    facts(cron),
    element("p", {}, element("button", { on: { click: switchOver } }, paused ? "Resume" : "Pause")),
    ...(incident ? incidentPart(incident, channels, act) : []),
    element("h2", {}, "Figures"),
    figures(cron),
    element("h2", {}, "Last runs"),
    runs.length ? table(["Run", "When", "Took", "Notes", "Said"], runs.map(runRow)) : element("p", {}, "It has not run yet."),
  ];
});
