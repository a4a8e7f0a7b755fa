// Headquarters' roster (TUF 1.0): from the first root to the file that names every box's keys.
//
// 1. The first root is signed by enough of its own keys; each next one by enough of the one before and of its own.
// 2. `targets` is signed by enough keys of the last root's role; it says whose word counts for `roster/`.
// 3. `roster` is signed by enough of those; it names the roster's length and SHA-256.
// Whether a newer roster exists is not asked here: that is the snapshot's business, and needs a network.

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

/** The roster that the files of `evidence/roster/` prove, and how many roots led to it. */
async function verifyRoster(evidence) {
  let root = parseMetadata(evidence.get("evidence/roster/1.root.json"), "root");
  await checkThreshold(root, root.signed.keys, root.signed.roles.root);
  must(root.signed.version === 1, "malformed");
  while (evidence.has(`evidence/roster/${root.signed.version + 1}.root.json`)) {
    const next = parseMetadata(evidence.get(`evidence/roster/${root.signed.version + 1}.root.json`), "root");
    must(next.signed.version === root.signed.version + 1, "malformed");
    await checkThreshold(next, root.signed.keys, root.signed.roles.root);
    await checkThreshold(next, next.signed.keys, next.signed.roles.root);
    root = next;
  }
  const top = parseMetadata(evidence.get("evidence/roster/targets.json"), "targets");
  await checkThreshold(top, root.signed.keys, root.signed.roles.targets);
  const { keys, roles } = top.signed.delegations || {};
  const role = Array.isArray(roles) ? roles.find(({ name }) => name === "roster") : undefined;
  const named = parseMetadata(evidence.get("evidence/roster/roster.json"), "targets");
  await checkThreshold(named, keys, role);
  const file = evidence.get("evidence/roster/roster.target.json");
  const target = named.signed.targets["roster/roster.json"];
  must(target && target.length === file.length && target.hashes.sha256 === hex(await sha256(file)), "other_hash");
  return { ...parseJson(file), roots: root.signed.version };
}
