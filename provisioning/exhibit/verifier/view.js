// The page: shows steps as they are taken. Everything from the files goes in as text, never as markup.

const byId = (id) => document.getElementById(id);
const WORDS = JSON.parse(byId("words").textContent);
const MARKS = { holds: "✓", fails: "✗", open: "–" };
const STATES = { holds: "passed", fails: "failed", open: "unchecked" };
const CHOSEN_BYTES_MAX = 268435456;

let language = (navigator.language || "").startsWith("lo") ? "lo" : "en";
let embedded = new Map();
let chosen = null;
let run = 0;

/** A sentence of the catalogue, `{names}` filled in; a key that the catalogue lacks is shown as it is. */
function say(key, params = {}) {
  const found = key.split(".").reduce((table, part) => (table ? table[part] : undefined), WORDS[language]);
  const sentence = typeof found === "string" ? found : key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in params ? String(params[name]) : whole));
}

function element(tag, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

/** A value with a button that copies it. */
function copyable(value) {
  const button = element("button", { type: "button", class: "copy", text: say("copy") });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(value);
      button.textContent = say("copied");
    } catch {
      getSelection().selectAllChildren(button.previousSibling); // no permission: the value is selected, Ctrl+C copies it
    }
  });
  return element("span", { class: "value" }, element("code", { text: value }), button);
}

function definition(list, term, ...values) {
  list.append(element("dt", { text: term }), ...values.map((value) => element("dd", {}, copyable(value))));
}

function shownStep({ id, folder, state, why, params, values }) {
  const found = WORDS[language].found[id];
  const sentence = element("p", { class: "sentence", text: say(`step.${id}`) });
  const mark = element("span", { class: "mark", "aria-hidden": "true", text: MARKS[state] });
  const item = element("li", { class: `step ${state}`, "data-step": id, "data-folder": folder, "data-state": state }, mark);
  const body = element("div", {}, sentence);
  sentence.append(element("span", { class: "state", text: say(STATES[state]) }));
  const told = params.act ? { ...params, act: say(`act.${params.act}`) } : params;
  if (state === "holds" && found) body.append(element("p", { class: "found", text: say(`found.${id}`, told) }));
  if (why) body.append(element("p", { class: "why", text: say(`why.${why}`, params) }));
  if (values.length) {
    const list = element("dl");
    for (const [name, value] of values) definition(list, say(`value.${name}`), value);
    body.append(element("details", {}, element("summary", { text: say("details") }), list));
  }
  item.append(body);
  return item;
}

function partOf({ folder }) {
  if (folder === "evidence/custody") return say("part_custody");
  if (folder === "evidence/answers") return say("part_answers");
  if (folder === "evidence/release") return say("part_release");
  if (folder === "evidence/tile") return say("part_nothing");
  if (folder === "evidence") return say("part_record");
  const related = placeOf(folder);
  if (!related) return say("part_keys");
  return say(related.log ? "part_related_elsewhere" : "part_related", related);
}

function summarySentence({ kind, facts }) {
  const params = { ...facts, commitment: grouped(facts.commitment || "") };
  if (facts.after) params.after = isoTime(facts.after);
  if (facts.before) params.before = isoTime(facts.before);
  if (kind === "none") return say("sum_none", params);
  if (!facts.before) return say("sum_record_no_time", params);
  return say(facts.after ? "sum_record" : "sum_record_no_after", params);
}

function showSummary(summary) {
  const banner = byId("summary");
  const fits = summary.fails === 0 && summary.holds > 0;
  banner.className = fits ? "holds" : "fails";
  banner.replaceChildren(element("h2", { text: fits ? say("sum_holds") : say("sum_fails", { count: summary.fails }) }));
  if (fits) banner.append(element("p", { text: summarySentence(summary) }), element("p", { text: say("sum_limits") }));
  if (fits && !chosen) banner.append(element("p", { class: "copies", text: say("sum_copies") }));
  if (fits && summary.kind === "record" && !summary.facts.opened) banner.append(element("p", { class: "limit", text: say("sum_not_opened") }));
  if (summary.open) banner.append(element("p", { class: "found", text: say("sum_open", { count: summary.open }) }));
}

/** The keys that everything rests on, from the files themselves: whoever compares them needs no step to hold. */
async function showTrust({ files }) {
  const read = async (path, spell) => (files.has(path) ? [].concat(await spell(files.get(path))) : [say("trust_missing")]);
  const lines = (bytes) => new TextDecoder().decode(bytes).split("\n").filter(Boolean);
  const [root, others] = [element("dl"), element("dl")];
  definition(root, say("trust_root"), ...(await read("evidence/roster/1.root.json", async (bytes) => hex(await sha256(bytes)))));
  definition(others, say("trust_identity"), ...(await read("evidence/identity.der", async (bytes) => fingerprint(await sha256(bytes)))));
  definition(others, say("trust_log"), ...(await read("evidence/log.vkey", lines)));
  definition(others, say("trust_cosigner"), ...(await read("evidence/cosigners.vkey", lines)));
  definition(others, say("trust_receipts"), ...(await read("evidence/receipts.key", hex)));
  definition(others, say("trust_custody"), ...(await read("evidence/custody/log.vkey", lines)));
  byId("root").replaceChildren(...root.children);
  byId("trust").replaceChildren(...others.children);
}

async function showFiles({ files }) {
  const list = element("dl");
  for (const path of Array.from(files.keys()).sort()) definition(list, path, hex(await sha256(files.get(path))));
  byId("files").replaceChildren(...list.children);
}

function showComparison() {
  const shown = byId("compared");
  shown.replaceChildren();
  const source = chosen ? "source_chosen" : embedded.size ? "source_embedded" : "source_none";
  byId("source").textContent = say(source, { count: (chosen || embedded).size });
  if (!chosen) return;
  const row = (key, params, state) => shown.append(element("li", { class: state, text: say(key, params) }));
  if (!embedded.size) return; // too much for a page: there are no copies to compare with
  let equal = 0;
  for (const [path, bytes] of embedded) {
    if (!chosen.has(path)) row("compared_missing", { file: path }, "fails");
    else if (same(chosen.get(path), bytes)) equal += 1;
    else row("compared_differs", { file: path }, "fails");
  }
  for (const path of chosen.keys()) if (!embedded.has(path)) row("compared_extra", { file: path }, "open");
  row("compared_same", { count: equal }, equal ? "holds" : "fails");
}

function showTexts() {
  document.documentElement.lang = language;
  document.title = say("title");
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const button of document.querySelectorAll("[data-language]"))
    button.setAttribute("aria-pressed", String(button.dataset.language === language));
}

async function check() {
  run += 1;
  const mine = run;
  const evidence = new Evidence(chosen || embedded);
  document.body.dataset.done = "";
  showTexts();
  showComparison();
  const steps = byId("steps");
  steps.replaceChildren();
  byId("summary").className = "open";
  byId("summary").replaceChildren(element("p", { text: say("checking") }));
  await showTrust(evidence);
  await showFiles(evidence);
  if (!evidence.files.size) {
    byId("summary").replaceChildren(element("p", { text: say("source_none") }));
    document.body.dataset.done = String(mine);
    return;
  }
  let part = "";
  for await (const step of allSteps(evidence)) {
    if (mine !== run) return; // another language or other files were chosen meanwhile
    if (step.summary) {
      showSummary(step.summary);
      break;
    }
    if (partOf(step) !== part) {
      part = partOf(step);
      steps.append(element("h3", { text: part }), element("ul"));
    }
    steps.lastChild.append(shownStep(step));
  }
  document.body.dataset.done = String(mine);
}

/**
 * A path as in the exhibit, whether the folder `evidence` was chosen, the exhibit itself (whatever it and the folders
 * above are called), or loose files; null for what lies outside of `evidence`.
 */
function pathOf(name) {
  const parts = name.split(/[\\/]/).filter(Boolean);
  const at = parts.lastIndexOf("evidence", parts.length - 2);
  if (at >= 0) return parts.slice(at).join("/");
  return parts.length === 1 ? `evidence/${parts[0]}` : null;
}

async function choose(files) {
  const [taken, twice] = [new Map(), new Set()];
  let total = 0;
  for (const { name, file } of files) {
    const path = pathOf(name);
    if (path === null) continue;
    if (taken.has(path)) twice.add(path); // which of the two a reader would open, nobody knows: it holds nothing
    total += file.size;
    if (total <= CHOSEN_BYTES_MAX) taken.set(path, new Uint8Array(await file.arrayBuffer()));
  }
  for (const path of twice) taken.set(path, new Uint8Array());
  chosen = taken.size ? taken : null;
  await check();
}

/** Files of a dropped file or folder, as Chrome and Edge give them: a page opened from a disk may read no other way. */
async function* below(handle, name) {
  if (handle.kind === "file") yield { name, file: await handle.getFile() };
  else for await (const [inner, each] of handle.entries()) yield* below(each, `${name}/${inner}`);
}

/** The same as Firefox gives them: a folder in pieces of at most 100. */
async function* walk(entry) {
  if (entry.isFile) {
    yield { name: entry.fullPath, file: await new Promise((give, fail) => entry.file(give, fail)) };
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((give, fail) => reader.readEntries(give, fail));
    if (!some.length) return;
    for (const inner of some) yield* walk(inner);
  }
}

/** Checks what was dropped; where the browser does not let the page read it, says that the button does. */
async function dropped(event) {
  event.preventDefault();
  const items = Array.from(event.dataTransfer.items).filter(({ kind }) => kind === "file");
  const handles = items.map((item) => (item.getAsFileSystemHandle ? item.getAsFileSystemHandle() : null));
  const entries = items.map((item) => item.webkitGetAsEntry());
  const files = [];
  try {
    for (const [i, promised] of handles.entries()) {
      const handle = await promised;
      for await (const found of handle ? below(handle, handle.name) : walk(entries[i])) files.push(found);
    }
  } catch {
    byId("source").textContent = say("drop_fails");
    return;
  }
  await choose(files);
}

function start() {
  if (typeof BigInt === "undefined" || !crypto.subtle) {
    byId("summary").className = "fails";
    byId("summary").textContent = say("too_old");
    return;
  }
  for (const [path, text] of Object.entries(JSON.parse(byId("evidence").textContent))) embedded.set(path, fromBase64(text));
  for (const button of document.querySelectorAll("[data-language]"))
    button.addEventListener("click", () => {
      language = button.dataset.language;
      check();
    });
  byId("folder").addEventListener("change", ({ target }) => choose(Array.from(target.files, (file) => ({ name: file.webkitRelativePath || file.name, file }))));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", dropped);
  check();
}

start();
