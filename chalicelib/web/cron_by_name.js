import { address, call, element, watch } from "./cronhub.js";

// Links in messages name the cron: an id would let everyone signal who gets to see the message.
const given = new URLSearchParams(location.search);
const names = ["product", "service", "name"].map((field) => [field, given.get(field) ?? ""]);

await watch(async () => {
  const { crons } = await call(`api/crons?${new URLSearchParams(names)}`);
  if (crons.length) location.replace(address(`crons/${crons[0].id}`));
  return [element("p", {}, crons.length ? "…" : `There is no cron ${names.map(([, name]) => name).join("/")}.`)];
});
