"use strict";
// The officer's page: takes the parts that the box sends, sends what the officer says, knows the keys.
// It decides nothing: what is shown, and to whom it belongs, comes from the box each time.

const byId = (id) => document.getElementById(id);
const kept = new Map(); // what was typed for whom, so that a new result never takes it away
let panel = { of: "", name: "" }; // which question of which case is being answered
let csrf = document.querySelector('meta[name="csrf"]').content;

// --- what the box sends ------------------------------------------------------------------------------------------

const PARTS = ["stage", "cases", "status", "belongs", "badge", "shift", "news"];

function show(parts) {
  if (parts.csrf) csrf = parts.csrf;
  for (const name of PARTS) {
    if (parts[name] === undefined) continue;
    const back = whereTheHandIs(byId(name));
    byId(name).innerHTML = parts[name];
    fill(byId(name));
    back();
  }
  if (parts.phase) document.documentElement.dataset.phase = parts.phase;
  more();
}

// A part that is drawn anew while somebody writes in it: the same box, the same place in it.
function whereTheHandIs(part) {
  const at = document.activeElement;
  if (!part.contains(at)) return () => {};
  const { keep, key, do: does, panel: name } = at.dataset;
  const [from, to] = keep && at.type === "text" ? [at.selectionStart, at.selectionEnd] : [];
  const named = [
    keep && `[data-keep="${keep}"]${at.type === "radio" ? `[value="${at.value}"]` : ""}`,
    does && `[data-do="${does}"]${name === undefined ? "" : `[data-panel="${name}"]`}`,
    key && `[data-key="${key}"]`,
  ].find(Boolean);
  return () => {
    const again = named && part.querySelector(named);
    again?.focus();
    if (again && from !== undefined) again.setSelectionRange(from, to);
  };
}

function fill(part) {
  for (const input of part.querySelectorAll("[data-keep]")) {
    const value = kept.get(input.dataset.keep);
    if (input.type === "radio") input.checked = input.value === value;
    else if (value !== undefined) input.value = value;
  }
  if (part.id === "stage") unfold();
}

function unfold() {
  const name = stage()?.dataset.of === panel.of ? panel.name : "";
  const grid = document.querySelector(".moves [data-grid]");
  if (!grid) return;
  for (const form of document.querySelectorAll("[data-panel-of]")) form.hidden = form.dataset.panelOf !== name;
  grid.hidden = [...document.querySelectorAll("[data-panel-of]")].some((form) => !form.hidden);
  for (const button of grid.querySelectorAll("[data-panel]")) button.ariaExpanded = String(button.dataset.panel === name);
}

function more() {
  const result = document.querySelector(".result");
  result?.toggleAttribute("data-more", result.scrollHeight > result.clientHeight + 4);
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

// A look-up's answer stands in its form and goes with it: nothing of it is on the page towards the lane.
function tellFound(form, words) {
  const found = form.querySelector(".found");
  if (!found) return;
  found.textContent = words ?? "";
  found.hidden = !words;
  if (words) found.scrollIntoView({ block: "nearest" });
}

document.addEventListener("close", (event) => {
  for (const form of event.target.querySelectorAll?.("form") ?? []) tellFound(form, "");
}, true);

document.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(event.target, event.target.getAttribute("action"), event.submitter);
});

async function submit(form, path, submitter) {
  const buttons = form.querySelectorAll("button:enabled");
  const badge = byId("badge").textContent.trim(); // before the box says the new one
  const fields = Object.fromEntries(new FormData(form, submitter));
  for (const button of buttons) button.disabled = true; // once said is said once
  const answer = await send(path, fields);
  for (const button of buttons) button.disabled = false;
  complain(form, answer);
  tellFound(form, answer.found);
  if (!answer.ok || answer.found) return;
  if (answer.why) say(answer.why);
  forget(form, badge);
  if (form.dataset.close) {
    byId(form.dataset.close).close();
    form.reset();
  }
}

// What was said is said; whoever was at the booth before is offered as the one who hands over.
function forget(form, badge) {
  for (const input of form.querySelectorAll("[data-keep]")) kept.delete(input.dataset.keep);
  if (form.dataset.panelOf === panel.name) panel = { of: "", name: "" }; // another one may be open by now
  if (form.dataset.said === "badge") {
    if (badge !== "No badge") kept.set("gave", badge);
    form.reset();
  }
  fill(byId("shift"));
  unfold();
}

document.addEventListener("input", (event) => {
  if (event.target.dataset.keep) kept.set(event.target.dataset.keep, event.target.value);
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
// A page in view that may have been read wrongly: the form begins with what was read, where nothing was typed yet.
function begin(form) {
  const read = JSON.parse(document.querySelector("#stage [data-filled]")?.dataset.filled ?? "null");
  const boxes = [...form.querySelectorAll("input:not([type=radio], [type=hidden])")];
  if (!read || boxes.some((box) => box.value)) return;
  for (const box of boxes) box.value = read[box.name] ?? "";
  for (const radio of form.querySelectorAll("[type=radio]")) {
    radio.checked = radio.value === (radio.name === "belongs" ? "document" : (read[radio.name] ?? "P"));
  }
}
const belongs = (whose) => {
  const pressed = document.querySelector(`[data-do="${whose}"]`)?.ariaPressed === "true";
  return tell(`/${whose}`, { on: pressed ? "0" : "1" });
};

function openPanel(button) {
  panel = { of: stage().dataset.of, name: button.dataset.panel };
  unfold();
  more();
  const first = panel.name ? `[data-panel-of="${panel.name}"] :is(input:not([type=hidden]))` : ".moves [data-key]";
  document.querySelector(first)?.focus();
}

function fillReason(button) {
  const input = button.closest("form").querySelector("[data-keep]");
  input.value = button.dataset.fill;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.focus();
}

function look(button) {
  byId("shift-sheet").close();
  return actions.details(button);
}

function hide() {
  if (stage()?.dataset.open === undefined) return;
  stage().remove(); // hidden at once, before the box has answered; so are the names of who waits, and what was refused
  document.querySelector("#cases ol")?.remove();
  panel = { of: "", name: "" };
  say("");
  return tell("/details", { show: "0" });
}

const actions = {
  shift: () => open("shift-sheet"),
  panel: openPanel,
  fill: fillReason,
  look,
  typed: () => {
    open("typed");
    begin(byId("typed").querySelector("form"));
  },
  lookup: (button) => submit(button.form, "/lookup"),
  crossing: () => open("crossing"),
  help: () => open("help"),
  close: () => document.querySelector("dialog[open]")?.close(),
  person: () => belongs("person"),
  document: () => belongs("document"),
  next: () => tell("/next", {}),
  details: (button) => tell("/details", { show: "1", of: button?.dataset.of ?? "" }),
  hide,
  light: () => light(document.documentElement.dataset.light === "dark" ? "bright" : "dark"),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (button) actions[button.dataset.do](button);
});

const keys = { t: "typed", c: "crossing", s: "shift", "?": "help", p: "person", d: "document", n: "next", b: "light", " ": "details" };

const scrolls = { ArrowDown: 60, ArrowUp: -60, PageDown: 160, PageUp: -160 }; // px

document.addEventListener("keydown", (event) => {
  const modal = document.querySelector("dialog[open]");
  if (event.key === "Escape") {
    hide(); // beneath an open sheet, too, which the browser closes
    return;
  }
  if (event.key === "Enter" && event.target.matches(".note input")) {
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
  } else if (/^[1-9]$/.test(event.key)) {
    event.preventDefault(); // or the figure would stand in the box that this opens
    const buttons = [...document.querySelectorAll(`.outcomes [data-key="${event.key}"]`)];
    buttons.find((button) => button.checkVisibility())?.click();
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
more();
