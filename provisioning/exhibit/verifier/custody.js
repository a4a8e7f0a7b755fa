// Headquarters' own log: who opened, exported and handed over. Its leaves are CBOR; its key vouches for itself alone.

const DETAIL_HEAD = "landlink.example/custody/v1\0";

async function checkCustodyEntry(evidence, index, exhibit) {
  const logKey = await parseVkey(evidence.text("evidence/custody/log.vkey").trim());
  const leaf = evidence.get(`evidence/custody/${index}.cbor`);
  const place = await checkPlace(evidence, leaf, `evidence/custody/${index}.tlog-proof`, logKey);
  const { text } = parseCheckpoint(evidence.text("evidence/custody/checkpoint"));
  must(place.index === BigInt(index) && place.checkpoint.text === text, "other_place");
  const said = decodeCbor(leaf);
  must(said instanceof Map, "malformed");
  const shown = exhibit.custody.entries.find((entry) => entry.index === index);
  const words = `evidence/custody/${index}.detail.cbor`;
  let told = new Map();
  if (evidence.has(words)) {
    must(same(await sha256(concat(utf8(DETAIL_HEAD), evidence.get(words))), said.get("detail")), "other_hash");
    told = decodeCbor(evidence.get(words));
  }
  if (shown) {
    must(shown.act === said.get("did") && shown.by === said.get("by") && shown.at_ms === said.get("at_ms"), "report_differs");
    must(shown.why === (told.get("why") || "") && shown.to === (told.get("to") || ""), "report_differs");
  }
  return { params: { index: String(index), size: String(place.checkpoint.size) }, values: [["leaf_hash", hex(await leafHash(leaf))]] };
}

async function* custodySteps(evidence, exhibit) {
  const found = Array.from(evidence.files.keys(), (path) => /^evidence\/custody\/(\d+)\.cbor$/.exec(path)).filter(Boolean);
  const indices = found.map(([, index]) => Number(index)).sort((one, other) => one - other);
  for (const index of indices) yield await take("custody", "evidence/custody", () => checkCustodyEntry(evidence, index, exhibit));
}
