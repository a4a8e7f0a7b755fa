// The log: Merkle tree (RFC 6962, RFC 9162 §2.1.3.2), tlog-proof, signed notes and cosignatures (C2SP).

const [NOTE_ED25519, COSIGNED_ED25519, COSIGNED_MLDSA44] = [0x01, 0x04, 0x06];
const PROOF_HEAD = "c2sp.org/tlog-proof@v1";
const NOTE_BYTES_MAX = 65536;

const leafHash = (leaf) => sha256(concat(Uint8Array.of(0), leaf));
const nodeHash = (left, right) => sha256(concat(Uint8Array.of(1), left, right));

/** Throws unless the leaf stands at `index` of the tree of `size` leaves with this root. */
async function checkInclusion(leaf, index, size, root, proof) {
  must(index >= 0n && index < size, "not_in_log");
  let [position, last, hash] = [index, size - 1n, await leafHash(leaf)];
  for (const sibling of proof) {
    must(last !== 0n, "not_in_log");
    if (position & 1n || position === last) {
      hash = await nodeHash(sibling, hash);
      while (!(position & 1n) && position !== 0n) [position, last] = [position >> 1n, last >> 1n];
    } else {
      hash = await nodeHash(hash, sibling);
    }
    [position, last] = [position >> 1n, last >> 1n];
  }
  must(last === 0n && same(hash, root), "not_in_log");
}

/** Name, type and key of `name+key id+base64`. */
async function parseVkey(line) {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(line);
  must(match, "malformed");
  const key = fromBase64(match[3]);
  const id = (await sha256(concat(utf8(`${match[1]}\n`), key))).subarray(0, 4);
  must(hex(id) === match[2], "malformed");
  return { name: match[1], id: match[2], type: key[0], key: key.subarray(1), line };
}

/** Text and signature lines of a note, verified by nobody. */
function parseNote(note) {
  const end = note.lastIndexOf("\n\n");
  must(note.length <= NOTE_BYTES_MAX && end >= 0 && note.endsWith("\n"), "malformed");
  const lines = note.slice(end + 2, -1).split("\n");
  const signatures = lines.map((line) => {
    const match = /^— ([^ +]+) ([A-Za-z0-9+/]+=*)$/.exec(line);
    must(match, "malformed");
    const bytes = fromBase64(match[2]);
    must(bytes.length > 4, "malformed");
    return { name: match[1], id: hex(bytes.subarray(0, 4)), signature: bytes.subarray(4) };
  });
  return { text: note.slice(0, end + 1), signatures };
}

/** Origin, size and root hash: the three lines of a checkpoint. */
function parseTreeHead(text) {
  const match = /^([^\s+]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n$/.exec(text);
  must(match, "malformed");
  return { origin: match[1], size: BigInt(match[2]), root: fromBase64(match[3]), text };
}

/** A checkpoint and its signatures, verified by nobody. */
function parseCheckpoint(note) {
  const { text, signatures } = parseNote(note);
  return { ...parseTreeHead(text), signatures, note };
}

/** Index, proof and checkpoint of a tlog-proof. */
function parseProof(bytes) {
  const text = fromUtf8(bytes);
  const head = /^c2sp\.org\/tlog-proof@v1\n(?:extra [A-Za-z0-9+/]*=*\n)?index (0|[1-9][0-9]{0,18})\n((?:[A-Za-z0-9+/]{43}=\n){0,64})\n/.exec(text);
  must(head, "malformed");
  const proof = head[2].split("\n").slice(0, -1).map(fromBase64);
  return { index: BigInt(head[1]), proof, checkpoint: parseCheckpoint(text.slice(head[0].length)) };
}

/** What a cosigner of type 04 signs. */
const cosigned = (seconds, text) => utf8(`cosignature/v1\ntime ${seconds}\n${text}`);

/** What a cosigner of type 06 signs: the tree from leaf 0 to the checkpoint's size. */
const cosignedSubtree = (name, seconds, { origin, size, root }) =>
  concat(utf8("subtree/v1\n\0"), Uint8Array.of(utf8(name).length), utf8(name), uint64(seconds), Uint8Array.of(utf8(origin).length), utf8(origin), uint64(0), uint64(size), root);

/**
 * The signature of a known key under a checkpoint: null when it is not there, else its time in seconds (null for the
 * log's own). Throws when it is there and does not hold.
 */
async function checkSigned(checkpoint, verifier) {
  const line = checkpoint.signatures.find(({ name, id }) => name === verifier.name && id === verifier.id);
  if (!line) return null;
  if (verifier.type === NOTE_ED25519) {
    must(await verifyEd25519(verifier.key, utf8(checkpoint.text), line.signature), "signature_fails");
    return { seconds: null };
  }
  must(line.signature.length > 8, "malformed");
  const seconds = new DataView(line.signature.slice(0, 8).buffer).getBigUint64(0);
  const signature = line.signature.subarray(8);
  if (verifier.type === COSIGNED_ED25519) {
    must(await verifyEd25519(verifier.key, cosigned(seconds, checkpoint.text), signature), "signature_fails");
  } else {
    must(verifier.type === COSIGNED_MLDSA44, "malformed");
    must(await verifyMlDsa44(verifier.key, cosignedSubtree(verifier.name, seconds, checkpoint), signature), "signature_fails");
  }
  return { seconds: Number(seconds) };
}
