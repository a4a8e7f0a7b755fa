"use strict";
// The officer's page: takes the parts that the box sends, sends what the officer says, knows the keys.
// It decides nothing: what is shown, and to whom it belongs, comes from the box each time.

const byId = (id) => document.getElementById(id);
const notes = new Map(); // what was typed for whom, so that a new result never takes it away
let csrf = document.querySelector('meta[name="csrf"]').content;

// --- what the box sends ------------------------------------------------------------------------------------------

function show(parts) {
  if (parts.csrf) csrf = parts.csrf;
  for (const name of ["stage", "cases", "status", "belongs"]) {
    if (parts[name] === undefined) continue;
    const focused = document.activeElement?.dataset?.do;
    byId(name).innerHTML = parts[name];
    if (focused && !document.activeElement?.dataset?.do) byId(name).querySelector(`[data-do="${focused}"]`)?.focus();
  }
  for (const input of document.querySelectorAll("[data-note]")) input.value = notes.get(input.dataset.note) ?? "";
  if (parts.phase) document.documentElement.dataset.phase = parts.phase;
  const result = document.querySelector(".result");
  result.toggleAttribute("data-more", result.scrollHeight > result.clientHeight + 4);
}

const events = new EventSource("/events");
events.addEventListener("page", (event) => {
  byId("away").hidden = true;
  show(JSON.parse(event.data));
});
events.addEventListener("error", () => {
  byId("away").hidden = false;
});

// --- what the officer says ----------------------------------------------------------------------------------------

async function send(path, fields) {
  const body = new URLSearchParams({ ...fields, csrf });
  try {
    const answer = await fetch(path, { method: "POST", body });
    return await answer.json();
  } catch {
    return { ok: false, why: "The box did not answer. Nothing was lost: try again." };
  }
}

let saying;
function say(words) {
  clearTimeout(saying);
  byId("said").textContent = words ?? "";
  byId("said").hidden = !words;
  if (words) saying = setTimeout(() => say(""), 8000);
}

async function tell(path, fields) {
  const answer = await send(path, fields);
  say(answer.ok ? answer.why : answer.why ?? "The box refused this.");
  return answer.ok;
}

function complain(form, answer) {
  const problem = form.querySelector(".problem");
  problem.textContent = answer.ok ? "" : answer.why;
  problem.hidden = Boolean(answer.ok);
  for (const wrong of form.querySelectorAll(".wrong")) wrong.classList.remove("wrong");
  const box = answer.field && form.querySelector(`[name="${answer.field}"]`);
  if (box) {
    box.classList.add("wrong");
    box.focus();
  }
}

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const buttons = form.querySelectorAll("button:enabled");
  const fields = Object.fromEntries(new FormData(form, event.submitter));
  for (const button of buttons) button.disabled = true; // once said is said once
  const answer = await send(form.getAttribute("action"), fields);
  for (const button of buttons) button.disabled = false;
  complain(form, answer);
  if (!answer.ok) return;
  if (answer.why) say(answer.why);
  if (fields.of) notes.delete(fields.of);
  if (form.dataset.close) {
    byId(form.dataset.close).close();
    form.reset();
  }
});

document.addEventListener("input", (event) => {
  if (event.target.dataset.note) notes.set(event.target.dataset.note, event.target.value);
});

// --- buttons and keys ---------------------------------------------------------------------------------------------

const stage = () => document.querySelector(".stage");
const open = (dialog) => {
  if (document.querySelector("dialog[open]")) return;
  const form = byId(dialog).querySelector("form");
  const of = stage()?.dataset.of;
  if (form && of && form.dataset.of !== of) {
    form.reset(); // what stands there from before this result came is another traveller's
    form.dataset.of = of;
  }
  byId(dialog).showModal();
};
const belongs = (whose) => {
  const pressed = document.querySelector(`[data-do="${whose}"]`)?.ariaPressed === "true";
  return tell(`/${whose}`, { on: pressed ? "0" : "1" });
};

const actions = {
  typed: () => open("typed"),
  crossing: () => open("crossing"),
  help: () => open("help"),
  close: () => document.querySelector("dialog[open]")?.close(),
  person: () => belongs("person"),
  document: () => belongs("document"),
  next: () => tell("/next", {}),
  details: (button) => tell("/details", { show: "1", of: button?.dataset.of ?? "" }),
  hide: () => tell("/details", { show: "0" }),
  light: () => light(document.documentElement.dataset.light === "dark" ? "bright" : "dark"),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) actions[button.dataset.do](button);
});

const keys = { t: "typed", c: "crossing", "?": "help", p: "person", d: "document", n: "next", b: "light", " ": "details" };

const scrolls = { ArrowDown: 60, ArrowUp: -60, PageDown: 160, PageUp: -160 }; // px

document.addEventListener("keydown", (event) => {
  const modal = document.querySelector("dialog[open]");
  if (event.key === "Escape") {
    if (!modal && stage()?.dataset.open !== undefined) {
      stage().remove(); // hidden at once, before the box has answered
      actions.hide();
    }
    return;
  }
  if (event.key === "Enter" && event.target.dataset.note !== undefined) {
    event.target.blur(); // a note says nothing of what was done
    say("Choose what was done.");
  }
  const typing = event.target.closest("input, textarea, select");
  const pressing = event.key === " " && event.target.closest("button, a");
  if (modal || typing || pressing || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  if (!byId("single-keys").checked && event.key !== "?") return;
  if (event.key in scrolls) document.querySelector(".result").scrollBy({ top: scrolls[event.key], behavior: "smooth" });
  const action = keys[event.key.toLowerCase()];
  if (action) {
    event.preventDefault();
    actions[action]();
  } else if (/^[1-6]$/.test(event.key)) {
    document.querySelector(`.outcomes [data-key="${event.key}"]`)?.click();
  }
});

// --- what this screen remembers -----------------------------------------------------------------------------------

function light(chosen) {
  document.documentElement.dataset.light = chosen;
  localStorage.setItem("light", chosen);
}

light(localStorage.getItem("light") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "bright"));
byId("single-keys").checked = localStorage.getItem("single-keys") !== "off";
byId("single-keys").addEventListener("change", (event) => {
  localStorage.setItem("single-keys", event.target.checked ? "on" : "off");
});
