// Verifies every statement of a published log with the npm package @auth0/cose: nothing of the box's own code runs here.
//
//   node verify_statement.mjs IDENTITY_DER LOG_FOLDER
//
// The first leaf of an epoch carries the epoch key's certificate, signed (ES256) by the identity key; that key signs the
// leaf itself and those that follow (EdDSA). One line of JSON; exit code 1 when a signature does not hold, or when one
// holds though a byte was flipped.
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decode, hex, plain } from "./cbor.mjs";
const { Sign1 } = await import("@auth0/cose");

const CONTEXT = -65537;
const TYP = 16;
const [identityFile, log] = process.argv.slice(2);
const identity = createPublicKey({ key: readFileSync(identityFile), format: "der", type: "spki" });

/** Ed25519 key of 32 raw bytes. */
const ed25519 = (raw) =>
  createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(raw).toString("base64url") }, format: "jwk" });

function* readLeaves() {
  const size = Number(readFileSync(join(log, "checkpoint"), "utf8").split("\n")[1]);
  for (let start = 0; start < size; start += 256) {
    const width = Math.min(256, size - start);
    const groups = String(start / 256).padStart(3, "0").padStart(Math.ceil(String(start / 256).length / 3) * 3, "0");
    const parts = groups.match(/.{3}/g).map((group, i, all) => (i < all.length - 1 ? `x${group}` : group));
    const bundle = readFileSync(join(log, "tile/entries", ...parts) + (width < 256 ? `.p/${width}` : ""));
    for (let offset = 0; offset < bundle.length; offset += 2 + bundle.readUInt16BE(offset))
      yield bundle.subarray(offset + 2, offset + 2 + bundle.readUInt16BE(offset));
  }
}

async function verify(message, key, algorithm, typ) {
  const signed = Sign1.decode(message);
  await signed.verify(key, { algorithms: [algorithm] });
  if (signed.protectedHeaders.get(TYP) !== typ) throw new Error(`not of the type ${typ}`);
  return signed;
}

async function refusesFlipped(message, key) {
  const flipped = Uint8Array.from(message);
  flipped[message.length - 70] ^= 1; // the last bytes of the payload, before the signature
  try {
    await Sign1.decode(flipped).verify(key);
    return false;
  } catch {
    return true;
  }
}

let key, origin;
const counted = { statements: 0, epochs: 0, sealed: 0, events: {} };
for (const leaf of readLeaves()) {
  const index = counted.statements;
  try {
    const [kind, what] = decode(Sign1.decode(leaf).payload);
    if (kind === "epoch") {
      const certificate = plain(decode((await verify(what, identity, -7, "landlink/epoch")).payload));
      if (certificate.first_index !== index) throw new Error("the certificate names another first leaf");
      key = ed25519(Buffer.from(certificate.public, "hex"));
      origin = certificate.origin;
      counted.epochs += 1;
    }
    const statement = await verify(leaf, key, -8, "landlink/statement");
    if (!(await refusesFlipped(leaf, key))) throw new Error("verifies with a flipped byte");
    if (plain(statement.protectedHeaders.get(CONTEXT))[0] !== origin) throw new Error("names another origin");
    if (kind === "sealed") counted.sealed += 1;
    if (kind === "event") counted.events[what] = (counted.events[what] ?? 0) + 1;
    counted.statements += 1;
  } catch (error) {
    console.error(`leaf ${index} (${hex(leaf).slice(0, 16)}...): ${error.message}`);
    process.exit(1);
  }
}
console.log(JSON.stringify({ origin, ...counted }));
