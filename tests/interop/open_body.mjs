// Opens sealed bodies with the npm package age-encryption: nothing of the box's own code runs here.
//
//   node open_body.mjs IDENTITY_FILE BODY...
//
// For each body one line of JSON: the file, the SHA-256 of the sealed body, the commitment (SHA-256 of
// "landlink.example/commit/v1", a zero byte and the record) and the record. Each body must also be refused with one
// byte flipped. Exit code 1 when a body does not open, or opens though it was changed.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Decrypter } from "age-encryption";
import { decode, plain } from "./cbor.mjs";

const [identityFile, ...bodies] = process.argv.slice(2);
const decrypter = new Decrypter();
decrypter.addIdentity(readFileSync(identityFile, "utf8").trim());

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest("hex");

/** The record between its length and its padding of zeros. */
function unpad(padded) {
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  const padding = padded.subarray(4 + length);
  if (padded.length % 4096 !== 0 || padding.some((byte) => byte !== 0)) throw new Error("not padded as specified");
  return padded.subarray(4, 4 + length);
}

async function refusesFlipped(sealed) {
  const flipped = Uint8Array.from(sealed);
  flipped[sealed.length - 20] ^= 1;
  try {
    await decrypter.decrypt(flipped);
    return false;
  } catch {
    return true;
  }
}

for (const file of bodies) {
  try {
    const sealed = new Uint8Array(readFileSync(file));
    const record = unpad(await decrypter.decrypt(sealed));
    if (!(await refusesFlipped(sealed))) throw new Error("opens with a flipped byte");
    const commitment = sha256("landlink.example/commit/v1\0", record);
    console.log(JSON.stringify({ file, sha256: sha256(sealed), commitment, record: plain(decode(record)) }));
  } catch (error) {
    console.error(`${file}: ${error.message}`);
    process.exitCode = 1;
  }
}
