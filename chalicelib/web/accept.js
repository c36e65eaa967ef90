import { call, element, keepKey, Problem, show, trouble, address } from "./cronhub.js";

// Behind the #, so that it is in no log of any server.
const token = location.hash.slice(1);
addEventListener("hashchange", () => location.reload());

function ask() {
  const name = element("input", { id: "name", maxLength: 128, autocomplete: "name" });
  const said = element("div", {});
  const button = element("button", {}, "Accept");
  const submit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      accepted(await call("api/invites/accept", {
        method: "POST", authorized: false, body: { token, name: name.value.trim() || null },
      }));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      said.replaceChildren(trouble(error));
      button.disabled = false;
    }
  };
  show(
    element("h1", {}, "You are invited to CronHub"),
    said,
    element("form", { on: { submit } },
      element("div", { className: "row" }, element("label", { htmlFor: "name" }, "Your name"), name, button)));
}

function accepted(answer) {
  keepKey(answer.key);
  history.replaceState(null, "", location.pathname);
  show(
    element("h1", {}, `Welcome, ${answer.member.name}`),
    element("p", {}, `Your role is ${answer.member.role}. This is your API key. It is shown this once: keep it where you keep passwords.`),
    element("pre", {}, answer.key),
    element("p", {}, element("a", { href: address("./") }, "To the crons")));
}

if (token) ask();
else show(element("h1", {}, "Invitation"), trouble(new Error("This link is not whole: open it as it was mailed, with all that is behind the #.")));
