// Headquarters' own log: who opened, exported and handed over. Its leaves are CBOR; its key vouches for itself alone.

const DETAIL_HEAD = "landlink.example/custody/v1\0";
const REACHED = "evidence/custody/reached.json";
/** Shown one by one even when they only reach the record: they gave it out or destroyed it. */
const TOLD_ACTS = ["exported", "handed over", "erased"];

const actPath = (index) => `evidence/custody/${index}.cbor`;

function readAct(evidence, index) {
  const said = decodeCbor(evidence.get(actPath(index)));
  must(said instanceof Map && Array.isArray(said.get("reaches")) && Array.isArray(said.get("records")), "malformed");
  return said;
}

/** How an act concerns the exhibit: "names" it, only "reaches" it among everything else, or "" not at all. */
function concern(said, { entry, nothing, origin }) {
  const { first, end } = entry ? { first: entry.index, end: entry.index + 1 } : nothing;
  const reaches = said.get("reaches").some((reach) => reach.get("origin") === origin && reach.get("first") < end && first < reach.get("end"));
  const names = entry && said.get("records").includes(entry.record_id);
  if (names || (reaches && TOLD_ACTS.includes(said.get("did")))) return "names";
  return reaches ? "reaches" : "";
}

async function checkCustodyEntry(evidence, index, exhibit) {
  const logKey = await parseVkey(evidence.text("evidence/custody/log.vkey").trim());
  const leaf = evidence.get(actPath(index));
  const place = await checkPlace(evidence, leaf, `evidence/custody/${index}.tlog-proof`, logKey);
  must(place.index === BigInt(index) && place.checkpoint.note === evidence.text("evidence/custody/checkpoint"), "other_place");
  const said = readAct(evidence, index);
  const shown = exhibit.custody.entries.find((entry) => entry.index === index);
  const words = `evidence/custody/${index}.detail.cbor`;
  let told = new Map();
  if (evidence.has(words)) {
    must(same(await sha256(concat(utf8(DETAIL_HEAD), evidence.get(words))), said.get("detail")), "other_hash");
    told = decodeCbor(evidence.get(words));
  }
  must(Boolean(shown) === (concern(said, exhibit) === "names"), "report_differs");
  if (shown) {
    must(shown.act === said.get("did") && shown.by === said.get("by") && shown.at_ms === said.get("at_ms"), "report_differs");
    must(shown.why === (told.get("why") || "") && shown.to === (told.get("to") || ""), "report_differs");
  }
  const params = { index: String(index), size: String(place.checkpoint.size), act: said.get("did"), by: said.get("by"), time: isoTime(said.get("at_ms")) };
  return { params, values: [["leaf_hash", hex(await leafHash(leaf))]] };
}

/** The acts that are told by their number: the first and the last of them are here, and the number can be. */
function checkReached(evidence, indices, exhibit) {
  const sum = parseJson(evidence.get(REACHED));
  must(sameJson(sum, exhibit.custody.reached), "report_differs");
  const others = indices.filter((index) => concern(readAct(evidence, index), exhibit) === "reaches");
  must(sameJson(others, sum.first === sum.last ? [sum.first] : [sum.first, sum.last]), "report_differs");
  must(sum.by.reduce((total, { count }) => total + count, 0) === sum.count, "report_differs");
  const between = indices.filter((index) => sum.first < index && index < sum.last).length;
  must(sum.count >= others.length && sum.count <= sum.last - sum.first + 1 - between, "report_differs");
  return { params: { count: sum.count, first: sum.first, last: sum.last }, values: [["reached", sum.leaves_sha256]] };
}

async function* custodySteps(evidence, exhibit) {
  const found = Array.from(evidence.files.keys(), (path) => /^evidence\/custody\/(\d+)\.cbor$/.exec(path)).filter(Boolean);
  const indices = found.map(([, index]) => Number(index)).sort((one, other) => one - other);
  for (const index of indices) yield await take("custody", "evidence/custody", () => checkCustodyEntry(evidence, index, exhibit));
  const summed = exhibit.custody && exhibit.custody.reached;
  if (summed || evidence.has(REACHED)) yield await take("custody_sum", "evidence/custody", async () => checkReached(evidence, indices, exhibit));
}
