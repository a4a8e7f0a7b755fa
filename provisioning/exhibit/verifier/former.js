// Where an entry stood before: its place in a log that the box has lost, and carried over from.

/** The key of a box's logs under another log's name. */
async function keyFor(name, { type, key }) {
  const id = (await sha256(concat(utf8(`${name}\n`), Uint8Array.of(type), key))).subarray(0, 4);
  return { name, id: hex(id), type, key };
}

async function checkFormer(evidence, folder, exhibit) {
  const old = `${folder}/former`;
  const { payload, commitment } = parseStatement(evidence.get(`${folder}/statement.cose`));
  must(payload[0] === "carried", "not_the_same_entry");
  const [, , , origin, place, hash] = payload;
  const leaf = evidence.get(`${old}/statement.cose`);
  must(same(await sha256(leaf), hash), "other_hash");
  const logKey = await keyFor(origin, await readLogKey(evidence));
  const certificate = await checkEpoch(parseStatement(evidence.get(`${old}/epoch.cose`)), evidence);
  const start = await checkPlace(evidence, evidence.get(`${old}/epoch.cose`), `${old}/epoch.tlog-proof`, logKey);
  const { index, checkpoint } = await checkPlace(evidence, leaf, `${old}/proof.tlog-proof`, logKey);
  must(start.index === BigInt(certificate.get("first_index")) && index === BigInt(place) && index >= start.index, "other_place");
  const statement = await signedStatement(evidence, old, BODIES);
  must(statement.origin === origin && same(statement.commitment, commitment), "not_the_same_entry");
  must(evidence.text(`${old}/checkpoint`) === checkpoint.note, "other_place");
  const at = await cosignedAt(checkpoint, await readCosigners(evidence), COSIGNED_ED25519);
  const shown = [exhibit.entry, ...exhibit.related].find((entry) => entry && entry.folder === folder);
  must(shown && shown.former && shown.former.origin === origin && shown.former.index === place, "report_differs");
  must((shown.former.cosigned_ms === null) === (at === null), "report_differs");
  return { params: { origin, index: String(place), size: String(checkpoint.size) } };
}
