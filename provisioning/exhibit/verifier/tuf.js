// Headquarters' releases (TUF 1.0): from the first root to the files that they name, the roster of all keys among them.
//
// 1. The first root is signed by enough of its own keys; each next one by enough of the one before and of its own.
// 2. The snapshot is signed by the root's role, and names the version of all that follows.
// 3. `targets` is signed by enough keys of the root's role; it says whose word counts for which folder.
// 4. Each of these is signed by enough keys of its role, and names its files by length and SHA-256.
// The register holds under the last root. A release of the past holds under the root of its time: keys may have been
// replaced since, so it is the last one under which it holds.
// Whether a newer release exists is not asked: that needs a network.

/** Canonical JSON as TUF signs it: keys sorted, no blanks, only quote and backslash escaped. */
function canonical(value) {
  if (typeof value === "string") return `"${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object")
    return `{${Object.keys(value)
      .sort()
      .map((key) => `${canonical(key)}:${canonical(value[key])}`)
      .join(",")}}`;
  must(value === null || typeof value === "boolean" || Number.isSafeInteger(value), "malformed");
  return String(value);
}

function parseJson(bytes) {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    throw new Bad("malformed");
  }
}

function parseMetadata(bytes, type) {
  const { signed, signatures } = parseJson(bytes) || {};
  must(signed && signed._type === type && Array.isArray(signatures), "malformed");
  return { signed, signatures };
}

/** Throws unless as many different keys of a role signed as it asks for. */
async function checkThreshold({ signed, signatures }, keys, role) {
  must(role && Array.isArray(role.keyids) && role.threshold >= 1, "malformed");
  const message = utf8(canonical(signed));
  const signers = new Set();
  for (const { keyid, sig } of signatures) {
    const key = role.keyids.includes(keyid) ? keys[keyid] : undefined;
    if (!key || key.scheme !== "ed25519") continue;
    const spelled = key.keyval.public;
    if (await verifyEd25519(fromHex(spelled), message, fromHex(sig))) signers.add(spelled);
  }
  must(signers.size >= role.threshold, "not_enough_signers");
}

/** Every root that the first one leads to, in their order. */
async function verifyRoots(evidence) {
  let root = parseMetadata(evidence.get("evidence/roster/1.root.json"), "root");
  await checkThreshold(root, root.signed.keys, root.signed.roles.root);
  must(root.signed.version === 1, "malformed");
  const roots = [root.signed];
  while (evidence.has(`evidence/roster/${root.signed.version + 1}.root.json`)) {
    const next = parseMetadata(evidence.get(`evidence/roster/${root.signed.version + 1}.root.json`), "root");
    must(next.signed.version === root.signed.version + 1, "malformed");
    await checkThreshold(next, root.signed.keys, root.signed.roles.root);
    await checkThreshold(next, next.signed.keys, next.signed.roles.root);
    root = next;
    roots.push(root.signed);
  }
  return roots;
}

/** A release's version and, by role, the targets that it names; its metadata lies in `folder`. */
async function verifyRelease(evidence, folder, roots) {
  const [last, ...former] = roots.slice().reverse();
  try {
    return await releaseUnder(evidence, folder, last);
  } catch (error) {
    if (!(error instanceof Bad) || folder === "evidence/roster") throw error;
    for (const root of former) {
      try {
        return await releaseUnder(evidence, folder, root);
      } catch (again) {
        if (!(again instanceof Bad)) throw again;
      }
    }
    throw error;
  }
}

async function releaseUnder(evidence, folder, root) {
  const snapshot = parseMetadata(evidence.get(`${folder}/snapshot.json`), "snapshot");
  await checkThreshold(snapshot, root.keys, root.roles.snapshot);

  async function named(role, keys, rule) {
    const file = evidence.get(`${folder}/${role}.json`);
    const metadata = parseMetadata(file, "targets");
    await checkThreshold(metadata, keys, rule);
    const meta = snapshot.signed.meta[`${role}.json`];
    must(meta && meta.version === metadata.signed.version, "other_hash");
    if (meta.length !== undefined) must(meta.length === file.length, "other_hash");
    if (meta.hashes !== undefined) must(meta.hashes.sha256 === hex(await sha256(file)), "other_hash");
    return metadata.signed;
  }

  const { delegations } = await named("targets", root.keys, root.roles.targets);
  must(delegations && Array.isArray(delegations.roles), "malformed");
  const targets = new Map();
  for (const rule of delegations.roles) targets.set(rule.name, (await named(rule.name, delegations.keys, rule)).targets);
  return { version: snapshot.signed.version, targets };
}

/** Throws unless the release names, in the role of its folder, a file at this path with this length and SHA-256. */
function checkNamed({ targets }, path, length, sha256InHex) {
  const role = targets.get(path.split("/")[0]);
  must(role && role[path] && role[path].length === length && role[path].hashes.sha256 === sha256InHex, "other_hash");
}

/** The roster that the files of `evidence/roster/` prove. */
async function verifyRoster(evidence) {
  const release = await verifyRelease(evidence, "evidence/roster", await verifyRoots(evidence));
  const file = evidence.get("evidence/roster/roster.target.json");
  checkNamed(release, "roster/roster.json", file.length, hex(await sha256(file)));
  return parseJson(file);
}
