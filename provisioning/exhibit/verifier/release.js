// What the box worked with: the entry of its log that says so, and headquarters' signed metadata of that release.

/** Which release of lists and rules was in force: an entry of the log itself, before the record. */
async function checkRelease(evidence, exhibit, logKey) {
  const folder = "evidence/release";
  const certificate = await checkEpoch(parseStatement(evidence.get(`${folder}/epoch.cose`)), evidence);
  const start = await checkPlace(evidence, evidence.get(`${folder}/epoch.cose`), `${folder}/epoch.tlog-proof`, await logKey);
  must(start.index === BigInt(certificate.get("first_index")), "other_place");
  const { payload } = await signedStatement(evidence, folder, ["event"]);
  const { index } = await checkPlace(evidence, evidence.get(`${folder}/statement.cose`), `${folder}/proof.tlog-proof`, await logKey);
  must(payload[1] === "release_switched" && index >= BigInt(certificate.get("first_index")), "not_the_same_entry");
  const shown = exhibit.in_force;
  must(shown && BigInt(shown.release_index) === index && String(shown.release) === payload[2].get("version"), "report_differs");
  const said = [shown.dated, shown.recipients, shown.rules].map(String);
  must(sameJson(said, ["dated", "recipients", "rules"].map((name) => payload[2].get(name))), "report_differs");
  must(certificateIn(evidence, "evidence").get("software") === shown.software, "report_differs");
  must(exhibit.entry && index < BigInt(exhibit.entry.index), "other_place");
  return { params: { version: shown.release, index: String(index) } };
}

/** The release's own metadata, where headquarters has it still: it names each file that the report names. */
async function checkReleaseFiles(evidence, exhibit) {
  const release = await verifyRelease(evidence, "evidence/release", await verifyRoots(evidence));
  const { release: version, files } = exhibit.in_force;
  must(release.version === version, "report_differs");
  const named = Array.from(release.targets.values(), (targets) => Object.keys(targets)).flat();
  must(sameJson(named.sort(), files.map(({ path }) => path).sort()), "report_differs");
  for (const { path, bytes, sha256: hash, file } of files) {
    checkNamed(release, path, bytes, hash);
    if (file) must(hex(await sha256(evidence.get(file))) === hash, "other_hash");
  }
  return { params: { count: files.length } };
}

async function* releaseSteps(evidence, exhibit) {
  const folder = "evidence/release";
  const shown = exhibit.in_force || {};
  if (evidence.has(`${folder}/statement.cose`) || shown.release) yield await take("release", folder, () => checkRelease(evidence, exhibit, readLogKey(evidence)));
  if (evidence.has(`${folder}/snapshot.json`) || (shown.files || []).length) yield await take("release_files", folder, () => checkReleaseFiles(evidence, exhibit));
}
