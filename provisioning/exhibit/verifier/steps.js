// What is checked, in this order. Each step stands alone: one that fails stops no other, so that the page shows which
// file was altered. A step is { id, folder, state: "holds" | "fails" | "open", why, params, values }.

/** A cosignature names whole seconds, cut off: it was given up to so much later. */
const COSIGNED_WITHIN_MS = 999;
const COSIGNERS_CHECKED = new Map();
const COMMITMENT_HEAD = "landlink.example/commit/v1\0";

/** The files of an exhibit by path, `evidence/...`. */
class Evidence {
  constructor(files) {
    this.files = files;
    this.read = new Set();
  }

  has(path) {
    return this.files.has(path);
  }

  get(path) {
    must(this.files.has(path), "missing", { file: path });
    this.read.add(path);
    return this.files.get(path);
  }

  text(path) {
    return fromUtf8(this.get(path));
  }

  lines(path) {
    return this.text(path).split("\n").filter(Boolean);
  }

  /** Folders of entries: the record that was asked for, then those that belong to it, its own log first, in log order. */
  entryFolders() {
    const found = Array.from(this.files.keys(), (path) => placeOf(path.replace(/\/statement\.cose$/, "")));
    const related = found.filter((place) => place && this.has(`${place.folder}/statement.cose`));
    const distinct = new Map(related.map((place) => [place.folder, place]));
    const ordered = Array.from(distinct.values()).sort((one, other) => one.log - other.log || one.index - other.index);
    const folders = ordered.map(({ folder }) => folder);
    return this.has("evidence/statement.cose") ? ["evidence", ...folders] : folders;
  }
}

/** The folder of an entry that belongs to the record: its index, and the number of its log, 0 for the exhibit's own. */
function placeOf(folder) {
  const match = /^evidence(?:\/logs\/([1-9][0-9]*))?\/entries\/([0-9]+)$/.exec(folder);
  return match ? { folder, log: Number(match[1] || 0), index: Number(match[2]) } : null;
}

/** A step that could not be taken, with the sentence that says why: no tick and no cross. */
class Open extends Error {
  constructor(word) {
    super(word);
    this.word = word;
  }
}

async function take(id, folder, check) {
  try {
    const { values = [], params = {} } = (await check()) || {};
    return { id, folder, state: "holds", why: "", params, values };
  } catch (error) {
    if (error instanceof Open) return { id, folder, state: "open", why: error.word, params: {}, values: [] };
    // A reader that stumbles over a value of another kind than it expects has read something malformed.
    const [word, params] = error instanceof Bad ? [error.word, error.values] : ["malformed", {}];
    return { id, folder, state: "fails", why: word, params, values: [] };
  }
}

const isoTime = (ms) => new Date(Number(ms)).toISOString().replace("T", " ").replace(".000Z", " UTC").replace("Z", " UTC");

/** A key of its own: one that every object inherits (`__proto__`) is none that a file has. */
const owns = (object, key) => Object.prototype.hasOwnProperty.call(object, key);

/** Equal as JSON, whatever the order of keys. */
function sameJson(one, other) {
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => owns(other, key) && sameJson(one[key], other[key]));
}

/** What a statement says: its context and payload, verified by nobody. */
function parseStatement(bytes) {
  const message = parseSign1(bytes);
  const context = message.header.get(CONTEXT);
  const payload = decodeCbor(message.payload);
  must(Array.isArray(context) && context.length === 11 && Array.isArray(payload), "malformed");
  const [origin, epoch, mode, wallMs, grade, lowerBoundMs, bootId, bootMs, recipients, commitment, cosigned] = context;
  return { message, origin, epoch, mode, wallMs, grade, lowerBoundMs, bootId, bootMs, recipients, commitment, cosigned, payload };
}

/** Checks a leaf that certifies an epoch's key; gives the certificate. */
async function checkEpoch(leaf, evidence) {
  must(leaf.payload[0] === "epoch" && leaf.payload[1] instanceof Uint8Array, "malformed");
  const signed = parseSign1(leaf.payload[1]);
  await checkSign1(signed, ES256, "landlink/epoch", evidence.get("evidence/identity.der"));
  const certificate = decodeCbor(signed.payload);
  await checkSign1(leaf.message, EDDSA, "landlink/statement", certificate.get("public"));
  const agrees = certificate.get("origin") === leaf.origin && certificate.get("mode") === leaf.mode && certificate.get("epoch") === leaf.epoch;
  must(agrees && certificate.get("boot_id") === hex(leaf.bootId), "not_the_same_entry");
  return certificate;
}

/** What a folder's epoch.cose certifies; whether that holds is the business of the step `epoch`. */
const certificateIn = (evidence, folder) => decodeCbor(parseSign1(parseStatement(evidence.get(`${folder}/epoch.cose`)).payload[1]).payload);

/** Checks a leaf's place: its proof leads to a checkpoint that the log's key signed. */
async function checkPlace(evidence, leaf, proofPath, logKey) {
  const { index, proof, checkpoint } = parseProof(evidence.get(proofPath));
  must(checkpoint.origin === logKey.name, "other_origin");
  must(await checkSigned(checkpoint, logKey), "signature_fails");
  if (evidence.has("evidence/cosigners.vkey")) await checkCosigners(checkpoint, await readCosigners(evidence));
  await checkInclusion(leaf, index, checkpoint.size, checkpoint.root, proof);
  return { index, checkpoint };
}

const readLogKey = (evidence) => parseVkey(evidence.text("evidence/log.vkey").trim());

/** The key of the log that a folder's entry stands in: the box's, under the name of that log. */
async function logKeyOf(evidence, folder) {
  const own = await readLogKey(evidence);
  const { log } = placeOf(folder) || { log: 0 };
  if (!log) return own;
  const name = own.name.replace(/\.[1-9][0-9]{0,5}$/, `.${log}`);
  must(name !== own.name, "other_origin");
  return keyFor(name, own);
}
const readCosigners = (evidence) => Promise.all(evidence.lines("evidence/cosigners.vkey").map(parseVkey));

/** Throws unless each of headquarters' cosignatures that is there holds, of whatever algorithm; once for one checkpoint. */
function checkCosigners(checkpoint, cosigners) {
  const key = [checkpoint.note, ...cosigners.map(({ line }) => line)].join("\n");
  if (!COSIGNERS_CHECKED.has(key)) COSIGNERS_CHECKED.set(key, Promise.all(cosigners.map((each) => checkSigned(checkpoint, each))));
  return COSIGNERS_CHECKED.get(key);
}

/** Headquarters' cosignatures of one algorithm under a checkpoint: the earliest time, in milliseconds. */
async function cosignedAt(checkpoint, cosigners, type) {
  const times = [];
  for (const cosigner of cosigners.filter((each) => each.type === type)) {
    const signed = await checkSigned(checkpoint, cosigner);
    if (signed) times.push(signed.seconds * 1000);
  }
  return times.length ? Math.min(...times) : null;
}

// --- keys and checkpoint ---------------------------------------------------------------------------------------------

async function checkRoster(evidence) {
  if (!evidence.has("evidence/roster/1.root.json")) throw new Open("not_in_folder");
  const roster = await verifyRoster(evidence);
  const identity = base64(evidence.get("evidence/identity.der"));
  const box = roster.boxes.find(({ identity_der: der }) => der === identity);
  must(box, "not_in_roster");
  const [own, named] = [await readLogKey(evidence), await parseVkey(box.log_vkey)];
  const stem = (name) => name.replace(/\.[1-9][0-9]{0,5}$/, ""); // a log that the box began by itself is its log too
  must(box.origins.map(stem).includes(stem(own.name)) && same(own.key, named.key), "not_in_roster");
  for (const line of evidence.lines("evidence/cosigners.vkey"))
    must(roster.keys.some(({ role, vkey }) => role.startsWith("cosign-") && vkey === line), "not_in_roster");
  if (evidence.has("evidence/receipts.key"))
    must(roster.keys.some((key) => key.role === "receipts" && key.public === base64(evidence.get("evidence/receipts.key"))), "not_in_roster");
  const custodians = roster.keys.filter(({ role }) => role === "custody");
  if (custodians.length && evidence.has("evidence/custody/log.vkey")) {
    const custody = await parseVkey(evidence.text("evidence/custody/log.vkey").trim());
    must(custodians.some((key) => key.public === base64(custody.key)), "not_in_roster");
  }
  return { params: { version: roster.version, serial: box.serial }, values: [["roster_sha256", hex(await sha256(evidence.get("evidence/roster/roster.target.json")))]] };
}

async function checkCheckpoint(evidence) {
  const checkpoint = parseCheckpoint(evidence.text("evidence/checkpoint"));
  const logKey = await readLogKey(evidence);
  must(checkpoint.origin === logKey.name, "other_origin");
  must(await checkSigned(checkpoint, logKey), "not_signed");
  return { params: { origin: checkpoint.origin, size: String(checkpoint.size) }, values: [["root", base64(checkpoint.root)], ["checkpoint_sha256", hex(await sha256(utf8(checkpoint.text)))]] };
}

async function checkCosigned(evidence, type) {
  if (!evidence.has("evidence/cosigners.vkey")) throw new Open("not_cosigned");
  const cosigners = await readCosigners(evidence);
  const at = await cosignedAt(parseCheckpoint(evidence.text("evidence/checkpoint")), cosigners, type);
  if (at === null) throw new Open("not_cosigned");
  return { params: { time: isoTime(at) } };
}

// --- one entry -------------------------------------------------------------------------------------------------------

async function checkEpochStep(evidence, folder) {
  const certificate = await checkEpoch(parseStatement(evidence.get(`${folder}/epoch.cose`)), evidence);
  return { params: { software: certificate.get("software") }, values: [["epoch_key", hex(certificate.get("public"))]] };
}

async function checkEpochPlace(evidence, folder, logKey) {
  const certificate = await checkEpoch(parseStatement(evidence.get(`${folder}/epoch.cose`)), evidence);
  const { index } = await checkPlace(evidence, evidence.get(`${folder}/epoch.cose`), `${folder}/epoch.tlog-proof`, await logKey);
  must(index === BigInt(certificate.get("first_index")), "other_place");
  return { params: { index: String(index) } };
}

/** Kinds of a statement with a body: `carried` is one again that stood in a log which this box has lost. */
const BODIES = ["sealed", "carried"];

/** The log that the record of a statement was made for: its own, or an earlier one of this box that was lost. */
function madeFor({ origin, payload }) {
  if (payload[0] !== "carried") return origin;
  const [own, lost] = [origin, String(payload[3])].map((name) => /^(.*)\.([0-9]+)$/.exec(name));
  must(own && lost && own[1] === lost[1] && Number(lost[2]) < Number(own[2]), "not_the_same_entry");
  return payload[3];
}

/** A statement that the epoch's key signed, for the log and epoch of its certificate. */
async function signedStatement(evidence, folder, kinds) {
  const certificate = certificateIn(evidence, folder);
  const statement = parseStatement(evidence.get(`${folder}/statement.cose`));
  await checkSign1(statement.message, EDDSA, "landlink/statement", certificate.get("public"));
  const agrees = statement.origin === certificate.get("origin") && statement.epoch === certificate.get("epoch") && statement.mode === certificate.get("mode");
  must(agrees && kinds.includes(statement.payload[0]), "not_the_same_entry");
  return statement;
}

async function checkStatement(evidence, folder) {
  const statement = await signedStatement(evidence, folder, BODIES);
  return { params: { claimed: isoTime(statement.wallMs), grade: statement.grade }, values: [["statement_sha256", hex(await sha256(evidence.get(`${folder}/statement.cose`)))]] };
}

async function checkPlaceStep(evidence, folder, facts, logKey) {
  const leaf = evidence.get(`${folder}/statement.cose`);
  const { index, checkpoint } = await checkPlace(evidence, leaf, `${folder}/proof.tlog-proof`, await logKey);
  const certificate = certificateIn(evidence, folder);
  must(index >= BigInt(certificate.get("first_index")), "other_place");
  must(parseStatement(leaf).origin === checkpoint.origin, "other_origin");
  const named = placeOf(folder);
  must(!named || BigInt(named.index) === index, "other_place");
  if (named && named.log) must(evidence.text(`evidence/logs/${named.log}/checkpoint`) === checkpoint.note, "other_place");
  if (folder === "evidence") Object.assign(facts, { origin: checkpoint.origin, index: String(index) });
  const cosigners = evidence.has("evidence/cosigners.vkey") ? await readCosigners(evidence) : [];
  const at = await cosignedAt(checkpoint, cosigners, COSIGNED_ED25519);
  if (folder === "evidence" && at !== null) facts.before = Math.min(facts.before || Infinity, at + COSIGNED_WITHIN_MS);
  return { params: { index: String(index), size: String(checkpoint.size) }, values: [["leaf_hash", hex(await leafHash(leaf))]] };
}

async function checkBody(evidence, folder) {
  const [, hash, length] = parseStatement(evidence.get(`${folder}/statement.cose`)).payload;
  if (!evidence.has(`${folder}/body.age`)) throw new Open("not_in_folder");
  const body = evidence.get(`${folder}/body.age`);
  must(body.length === length && same(await sha256(body), hash), "other_hash");
  return { values: [["body_sha256", hex(hash)]] };
}

async function checkCommitment(evidence, folder, facts) {
  const statement = parseStatement(evidence.get(`${folder}/statement.cose`));
  const { commitment, mode } = statement;
  if (folder === "evidence") facts.commitment = hex(commitment);
  if (!evidence.has(`${folder}/record.cbor`)) throw new Open("record_not_here");
  if (folder === "evidence") facts.opened = true;
  const record = evidence.get(`${folder}/record.cbor`);
  must(same(await sha256(concat(utf8(COMMITMENT_HEAD), record)), commitment), "other_hash");
  const inside = decodeCbor(record);
  must(inside.get("origin") === madeFor(statement) && inside.get("mode") === mode, "not_the_same_entry");
  return { values: [["commitment", hex(commitment)]] };
}

/** `record.json` of a record; a picture stands in it by its hash and length. */
async function readableRecord(record) {
  const content = record.get("body").get("content");
  const readable = asJson(record);
  if (content) readable.body.content = { sha256: hex(await sha256(content)), bytes: content.length };
  return readable;
}

async function checkReadable(evidence, folder, exhibit) {
  if (!evidence.has(`${folder}/record.json`)) throw new Open("record_not_here");
  const readable = parseJson(evidence.get(`${folder}/record.json`));
  const shown = [exhibit.entry, ...exhibit.related].find((entry) => entry && entry.folder === folder);
  must(shown && sameJson(shown.record, readable), "report_differs");
  if (!evidence.has(`${folder}/record.cbor`)) throw new Open("redacted");
  must(sameJson(await readableRecord(decodeCbor(evidence.get(`${folder}/record.cbor`))), readable), "report_differs");
}

async function checkPicture(evidence, folder) {
  const picture = evidence.get(`${folder}/picture.jpg`);
  const record = decodeCbor(evidence.get(`${folder}/record.cbor`));
  must(same(record.get("body").get("content"), picture), "other_hash");
  return { values: [["picture_sha256", hex(await sha256(picture))]] };
}

async function checkReceipt(evidence, folder, facts) {
  if (!evidence.has(`${folder}/receipt.cose`)) throw new Open("no_receipt");
  const message = parseSign1(evidence.get(`${folder}/receipt.cose`));
  await checkSign1(message, EDDSA, "landlink/receipt", evidence.get("evidence/receipts.key"));
  const receipt = decodeCbor(message.payload);
  const statement = parseStatement(evidence.get(`${folder}/statement.cose`));
  const { index } = parseProof(evidence.get(`${folder}/proof.tlog-proof`));
  must(receipt.get("origin") === statement.origin && BigInt(receipt.get("index")) === index, "not_the_same_entry");
  must(same(receipt.get("sha256"), statement.payload[1]), "other_hash");
  if (folder === "evidence") facts.before = Math.min(facts.before || Infinity, receipt.get("received_ms"));
  return { params: { time: isoTime(receipt.get("received_ms")) }, values: [["ledger_position", String(receipt.get("ledger_position"))]] };
}

/** An earlier countersigned state of the log that has the entry already. */
async function checkBefore(evidence, folder, facts, logKey) {
  const leaf = evidence.get(`${folder}/statement.cose`);
  const { index, checkpoint } = await checkPlace(evidence, leaf, `${folder}/before.tlog-proof`, await logKey);
  must(index === parseProof(evidence.get(`${folder}/proof.tlog-proof`)).index, "other_place");
  const at = await cosignedAt(checkpoint, await readCosigners(evidence), COSIGNED_ED25519);
  must(at !== null, "not_signed");
  if (folder === "evidence") facts.before = Math.min(facts.before || Infinity, at + COSIGNED_WITHIN_MS);
  return { params: { time: isoTime(at), size: String(checkpoint.size) } };
}

async function checkAfter(evidence, folder, facts) {
  const { cosigned } = parseStatement(evidence.get(`${folder}/statement.cose`));
  if (!cosigned || !evidence.has(`${folder}/after.checkpoint`)) throw new Open("no_after");
  const checkpoint = parseCheckpoint(evidence.text(`${folder}/after.checkpoint`));
  must(same(await sha256(utf8(checkpoint.text)), cosigned), "other_hash");
  await checkCosigners(checkpoint, await readCosigners(evidence));
  const at = await cosignedAt(checkpoint, await readCosigners(evidence), COSIGNED_ED25519);
  must(at !== null, "not_signed");
  if (folder === "evidence") facts.after = at;
  return { params: { time: isoTime(at) } };
}

async function checkTime(evidence, folder, exhibit) {
  const shown = [exhibit.entry, ...exhibit.related].find((entry) => entry && entry.folder === folder);
  must(shown && sameJson(shown.time, parseJson(evidence.get(`${folder}/time.json`))), "report_differs");
}

/** What the report shows of an entry is what its files say. */
async function checkShown(evidence, folder, exhibit) {
  const shown = [exhibit.entry, ...exhibit.related].find((entry) => entry && entry.folder === folder);
  const statement = parseStatement(evidence.get(`${folder}/statement.cose`));
  const [, hash, length] = statement.payload;
  const { index } = parseProof(evidence.get(`${folder}/proof.tlog-proof`));
  const leaf = hex(await leafHash(evidence.get(`${folder}/statement.cose`)));
  must(shown && BigInt(shown.index) === index && shown.leaf_hash === leaf, "report_differs");
  must(shown.commitment === hex(statement.commitment) && shown.blob_sha256 === hex(hash) && shown.blob_bytes === length, "report_differs");
  const { log } = placeOf(folder) || { log: 0 };
  must((shown.origin || "") === (log ? statement.origin : ""), "report_differs");
  const claimed = shown.time.claimed;
  must(claimed.wall_ms === statement.wallMs && claimed.grade === statement.grade && claimed.boot_ms === statement.bootMs, "report_differs");
}

/** What the report says of the entry in a folder; whether that holds is the business of the step `shown`. */
const shownOf = ({ entry, related }, folder) => [entry, ...related].find((each) => each && each.folder === folder) || {};

async function* entrySteps(evidence, folder, exhibit, facts) {
  const logKey = logKeyOf(evidence, folder);
  logKey.catch(() => undefined); // each step that awaits it says so itself
  yield await take("epoch", folder, () => checkEpochStep(evidence, folder));
  yield await take("epoch_place", folder, () => checkEpochPlace(evidence, folder, logKey));
  yield await take("statement", folder, () => checkStatement(evidence, folder));
  yield await take("place", folder, () => checkPlaceStep(evidence, folder, facts, logKey));
  yield await take("body", folder, () => checkBody(evidence, folder));
  yield await take("commitment", folder, () => checkCommitment(evidence, folder, facts));
  yield await take("readable", folder, () => checkReadable(evidence, folder, exhibit));
  if (evidence.has(`${folder}/picture.jpg`)) yield await take("picture", folder, () => checkPicture(evidence, folder));
  yield await take("shown", folder, () => checkShown(evidence, folder, exhibit));
  yield await take("receipt", folder, () => checkReceipt(evidence, folder, facts));
  if (evidence.has(`${folder}/before.tlog-proof`)) yield await take("before", folder, () => checkBefore(evidence, folder, facts, logKey));
  yield await take("after", folder, () => checkAfter(evidence, folder, facts));
  yield await take("time", folder, () => checkTime(evidence, folder, exhibit));
  if (evidence.has(`${folder}/former/checkpoint`) || shownOf(exhibit, folder).former) yield await take("former", folder, () => checkFormer(evidence, folder, exhibit));
}

// --- everything ------------------------------------------------------------------------------------------------------

/** What the report's first page says of keys and checkpoint is what the files say. */
async function checkExhibit(evidence, exhibit) {
  must(exhibit.schema === 1, "malformed");
  const { trust, checkpoint } = exhibit;
  const { size, root, text } = parseCheckpoint(evidence.text("evidence/checkpoint"));
  must(BigInt(checkpoint.size) === size && checkpoint.digest === hex(await sha256(utf8(text))), "report_differs");
  must([base64(root), hex(root)].includes(checkpoint.root), "report_differs");
  must(trust.identity_fingerprint === fingerprint(await sha256(evidence.get("evidence/identity.der"))), "report_differs");
  must(trust.log_vkey === evidence.text("evidence/log.vkey").trim(), "report_differs");
  must(sameJson(trust.cosigner_vkeys, evidence.has("evidence/cosigners.vkey") ? evidence.lines("evidence/cosigners.vkey") : []), "report_differs");
  if (evidence.has("evidence/roster/1.root.json"))
    must(trust.root_sha256 === hex(await sha256(evidence.get("evidence/roster/1.root.json"))), "report_differs");
}

/** Folders of entries that the report names and that are not here: `--check` refuses such a folder, a part of one may do. */
function namedOnly(evidence, { related }) {
  const here = evidence.entryFolders();
  const named = related.map((each) => each && each.folder).filter((folder) => typeof folder === "string");
  return named.filter((folder) => !here.includes(folder));
}

/** Every step, one after the other; the last value is the summary { facts, failed, open }. */
async function* allSteps(evidence) {
  const facts = {};
  let exhibit = { entry: null, related: [] };
  const counts = { holds: 0, fails: 0, open: 0 };
  const counted = (step) => {
    counts[step.state] += 1;
    return step;
  };
  const read = await take("exhibit", "", async () => {
    const said = parseJson(evidence.get("evidence/exhibit.json"));
    must(said && Array.isArray(said.related), "malformed");
    exhibit = said;
    await checkExhibit(evidence, exhibit);
  });
  yield counted(await take("roster", "", () => checkRoster(evidence)));
  yield counted(await take("checkpoint", "", () => checkCheckpoint(evidence)));
  yield counted(await take("cosigned_ed25519", "", () => checkCosigned(evidence, COSIGNED_ED25519)));
  yield counted(await take("cosigned_mldsa44", "", () => checkCosigned(evidence, COSIGNED_MLDSA44)));
  yield counted(read);
  for (const folder of evidence.entryFolders())
    for await (const step of entrySteps(evidence, folder, exhibit, facts)) yield counted(step);
  for (const folder of namedOnly(evidence, exhibit))
    yield counted(await take("shown", folder, () => { throw new Open("not_in_folder"); }));
  for await (const step of answerSteps(evidence, exhibit)) yield counted(step);
  for await (const step of releaseSteps(evidence, exhibit)) yield counted(step);
  for await (const step of nothingSteps(evidence, exhibit, facts)) yield counted(step);
  for await (const step of custodySteps(evidence, exhibit)) yield counted(step);
  const unread = Array.from(evidence.files.keys()).filter((path) => !evidence.read.has(path)).sort();
  if (unread.length) yield counted({ id: "unread", folder: "", state: "open", why: "not_looked_at", params: { count: unread.length }, values: unread.map((path) => ["file", path]) });
  yield { summary: { ...counts, facts, kind: exhibit.kind === "none" ? "none" : "record" } };
}
