// A negative exhibit: `evidence/` is a tlog-tiles folder. The hashes of all leaves give the signed root, so that none
// is missing; the leaves of the interval are here themselves, each signed under the epoch that is valid at its place.

const TILE_WIDTH = 256;

/** Path of a tile of C2SP tlog-tiles: N in groups of three digits, all but the last with an x. */
function tilePath(level, number, width) {
  const digits = String(number);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g);
  const name = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/");
  return `evidence/tile/${level}/${name}${width < TILE_WIDTH ? `.p/${width}` : ""}`;
}

const widthOf = (tile, size) => Math.min(TILE_WIDTH, size - tile * TILE_WIDTH);

/** Hashes of all leaves, as the tiles of level 0 have them. */
function tileHashes(evidence, size) {
  const hashes = [];
  for (let tile = 0; tile * TILE_WIDTH < size; tile += 1) {
    const content = evidence.get(tilePath(0, tile, widthOf(tile, size)));
    must(content.length === 32 * widthOf(tile, size), "malformed");
    for (let at = 0; at < content.length; at += 32) hashes.push(content.subarray(at, at + 32));
  }
  return hashes;
}

/** The root over leaf hashes (RFC 6962 §2.1): complete subtrees grow from the left, and fold from the right. */
async function rootOver(hashes) {
  const peaks = [];
  for (let count = 0; count < hashes.length; count += 1) {
    let hash = hashes[count];
    for (let bits = count; bits & 1; bits >>= 1) hash = await nodeHash(peaks.pop(), hash);
    peaks.push(hash);
  }
  if (!peaks.length) return sha256(new Uint8Array(0));
  let root = peaks.pop();
  while (peaks.length) root = await nodeHash(peaks.pop(), root);
  return root;
}

/** The leaves from `first` up to `last`, each compared with its hash in the tree. */
async function leavesBetween(evidence, hashes, first, last) {
  const leaves = [];
  for (let tile = Math.floor(first / TILE_WIDTH); tile * TILE_WIDTH <= last; tile += 1) {
    const bundle = evidence.get(tilePath("entries", tile, widthOf(tile, hashes.length)));
    let at = 0;
    for (let index = tile * TILE_WIDTH; index < tile * TILE_WIDTH + widthOf(tile, hashes.length); index += 1) {
      must(at + 2 <= bundle.length, "malformed");
      const length = bundle[at] * 256 + bundle[at + 1];
      const leaf = bundle.subarray(at + 2, at + 2 + length);
      must(leaf.length === length && same(await leafHash(leaf), hashes[index]), "other_hash");
      if (index >= first && index <= last) leaves.push(leaf);
      at += 2 + length;
    }
    must(at === bundle.length, "malformed");
  }
  return leaves;
}

async function signedTree(evidence, path) {
  const checkpoint = parseCheckpoint(evidence.text(path));
  const logKey = await readLogKey(evidence);
  must(checkpoint.origin === logKey.name, "other_origin");
  must(await checkSigned(checkpoint, logKey), "not_signed");
  return checkpoint;
}

async function cosignedTree(evidence, path) {
  const checkpoint = await signedTree(evidence, path);
  await checkCosigners(checkpoint, await readCosigners(evidence));
  const at = await cosignedAt(checkpoint, await readCosigners(evidence), COSIGNED_ED25519);
  must(at !== null, "not_signed");
  return { ...checkpoint, at };
}

async function checkHashes(evidence) {
  const { size, root } = await signedTree(evidence, "evidence/checkpoint");
  must(same(await rootOver(tileHashes(evidence, Number(size))), root), "other_hash");
  return { params: { size: String(size) } };
}

async function checkStart(evidence, { first, before, from_ms: fromMs }) {
  if (!evidence.has("evidence/start.checkpoint")) {
    must(first === 0 && before === 0, "missing", { file: "evidence/start.checkpoint" });
    throw new Open("from_the_beginning");
  }
  const { size, root, at } = await cosignedTree(evidence, "evidence/start.checkpoint");
  const { size: all } = parseCheckpoint(evidence.text("evidence/checkpoint"));
  must(Number(size) === first && first === before, "other_place");
  must(same(await rootOver(tileHashes(evidence, Number(all)).slice(0, first)), root), "not_in_log");
  must(at + COSIGNED_WITHIN_MS <= fromMs, "other_time");
  return { params: { size: String(size), time: isoTime(at) } };
}

/** Leaves of the interval, and the one behind it where the log goes on. */
async function intervalLeaves(evidence, { first, end }) {
  const size = Number(parseCheckpoint(evidence.text("evidence/checkpoint")).size);
  must(Number.isInteger(first) && Number.isInteger(end) && first >= 0 && first <= end && end <= size, "malformed");
  return leavesBetween(evidence, tileHashes(evidence, size), first, Math.min(end, size - 1));
}

async function checkLeaves(evidence, nothing, facts) {
  const leaves = await intervalLeaves(evidence, nothing);
  Object.assign(facts, { first: nothing.first, last: nothing.end - 1, origin: parseStatement(leaves[0]).origin });
  return { params: { first: nothing.first, last: nothing.end - 1 } };
}

/** Every leaf's signature, under the certificate that is valid at its place; counted by kind. */
async function checkLeafSignatures(evidence, nothing) {
  let certificate = await checkEpoch(parseStatement(evidence.get("evidence/epoch.cose")), evidence);
  must(certificate.get("first_index") <= nothing.first, "other_place");
  const counted = { epoch: 0, event: 0, sealed: 0 };
  let index = nothing.first;
  for (const leaf of await intervalLeaves(evidence, nothing)) {
    const statement = parseStatement(leaf);
    const kind = statement.payload[0];
    if (kind === "epoch") {
      certificate = await checkEpoch(statement, evidence);
      must(certificate.get("first_index") === index, "other_place");
    }
    await checkSign1(statement.message, EDDSA, "landlink/statement", certificate.get("public"));
    must(statement.origin === certificate.get("origin") && statement.epoch === certificate.get("epoch"), "not_the_same_entry");
    if (index < nothing.end) counted[BODIES.includes(kind) ? "sealed" : kind] += 1;
    index += 1;
  }
  must(sameJson(counted, nothing.entries), "report_differs");
  const told = Object.values(nothing.opened).reduce((sum, count) => sum + count, 0) + nothing.awaited.length;
  must(told === counted.sealed && nothing.found === 0, "report_differs");
  return { params: { sealed: counted.sealed, events: counted.event, epochs: counted.epoch } };
}

async function checkEnd(evidence, nothing) {
  const size = Number(parseCheckpoint(evidence.text("evidence/checkpoint")).size);
  if (!evidence.has("evidence/after.checkpoint")) {
    must(nothing.end === size, "missing", { file: "evidence/after.checkpoint" });
    throw new Open("to_the_end");
  }
  const { text, at } = await cosignedTree(evidence, "evidence/after.checkpoint");
  const leaves = await intervalLeaves(evidence, nothing);
  const { cosigned } = parseStatement(leaves[leaves.length - 1]);
  must(nothing.end < size && cosigned && same(await sha256(utf8(text)), cosigned), "other_hash");
  must(at >= nothing.to_ms, "other_time");
  return { params: { index: nothing.end, time: isoTime(at) } };
}

async function* nothingSteps(evidence, exhibit, facts) {
  const { nothing } = exhibit;
  if (!nothing) return;
  const folder = "evidence/tile";
  yield await take("hashes", folder, () => checkHashes(evidence));
  yield await take("start", folder, () => checkStart(evidence, nothing));
  yield await take("leaves", folder, () => checkLeaves(evidence, nothing, facts));
  yield await take("leaf_signatures", folder, () => checkLeafSignatures(evidence, nothing));
  yield await take("end", folder, () => checkEnd(evidence, nothing));
}
