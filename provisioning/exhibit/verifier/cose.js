// COSE_Sign1 (RFC 9052 §4.2) as the box writes it: tag 18, everything in the protected header, payload attached.

const [ALG, KID, TYP, CONTEXT] = [1, 4, 16, -65537];
const [EDDSA, ES256] = [-8, -7];

function parseSign1(bytes) {
  must(bytes[0] === 0xd2, "malformed");
  const message = decodeCbor(bytes.subarray(1));
  must(Array.isArray(message) && message.length === 4, "malformed");
  const [raw, unprotected, payload, signature] = message;
  must(raw instanceof Uint8Array && payload instanceof Uint8Array && signature instanceof Uint8Array, "malformed");
  must(unprotected instanceof Map && unprotected.size === 0 && signature.length === 64, "malformed");
  const header = decodeCbor(raw);
  must(header instanceof Map, "malformed");
  return { raw, header, payload, signature };
}

/** Sig_structure (RFC 9052 §4.4) with no external data. */
const toBeSigned = ({ raw, payload }) =>
  concat(Uint8Array.of(0x84), encodeString(3, utf8("Signature1")), encodeString(2, raw), Uint8Array.of(0x40), encodeString(2, payload));

/** Throws unless this key signed a message of this type; `key` is 32 bytes of Ed25519, or P-256 as SubjectPublicKeyInfo. */
async function checkSign1(message, algorithm, type, key) {
  const { header, signature } = message;
  must(header.get(ALG) === algorithm && header.get(TYP) === type, "other_type");
  if (header.has(KID)) must(same(header.get(KID), (await sha256(key)).subarray(0, 8)), "other_key");
  const verify = algorithm === EDDSA ? verifyEd25519 : verifyEs256;
  must(await verify(key, toBeSigned(message), signature), "signature_fails");
}

/** ECDSA over P-256 with SHA-256, r || s; every browser has it. */
async function verifyEs256(der, message, signature) {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  try {
    const key = await crypto.subtle.importKey("spki", der, algorithm, false, ["verify"]);
    return await crypto.subtle.verify(algorithm, key, signature, message);
  } catch {
    return false;
  }
}
