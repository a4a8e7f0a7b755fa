// Opens messages of headquarters to one box with the npm packages age-encryption and @auth0/cose, and works out codes
// for a telephone with Node's own crypto: nothing of the project's code runs here.
//
//   node downlink.mjs open IDENTITY_FILE PUBLIC_HEX SEALED...
//   node downlink.mjs voice KEY_HEX BOX RECORD_ID VERDICT
//
// `open` prints one line of JSON a message: its digest and what it says. Each must also be refused with a byte of the
// age file flipped, with a byte of the signed message flipped, and under another key. Exit code 1 otherwise.
import { createHash, createHmac, createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { Decrypter } from "age-encryption";
import { decode, plain } from "./cbor.mjs";
const { Sign1 } = await import("@auth0/cose");

const TYP = 16;

const ed25519 = (hex) =>
  createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(hex, "hex").toString("base64url") }, format: "jwk" });

/** The signed message between its length and its zeros. */
function unpad(padded) {
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  const size = Math.max(1024, 2 ** Math.ceil(Math.log2(4 + length)));
  if (padded.length !== size || padded.subarray(4 + length).some((byte) => byte !== 0)) throw new Error("not padded as specified");
  return padded.subarray(4, 4 + length);
}

async function refuses(attempt, what) {
  try {
    await attempt();
  } catch {
    return;
  }
  throw new Error(`taken ${what}`);
}

const flipped = (bytes, place) => {
  const copy = Uint8Array.from(bytes);
  copy[place] ^= 1;
  return copy;
};

async function open(identityFile, publicHex, ...files) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(readFileSync(identityFile, "utf8").trim());
  const key = ed25519(publicHex);
  const stranger = generateKeyPairSync("ed25519").publicKey;
  for (const file of files) {
    const sealed = new Uint8Array(readFileSync(file));
    const message = unpad(await decrypter.decrypt(sealed));
    await refuses(() => decrypter.decrypt(flipped(sealed, sealed.length - 20)), "with a flipped byte");
    const signed = Sign1.decode(message);
    await signed.verify(key, { algorithms: [-8] });
    if (signed.protectedHeaders.get(TYP) !== "landlink/downlink") throw new Error("of another type");
    await refuses(() => Sign1.decode(flipped(message, message.length - 70)).verify(key), "with a flipped payload");
    await refuses(() => Sign1.decode(message).verify(stranger), "under another key");
    const digest = createHash("sha256").update(message).digest("hex");
    console.log(JSON.stringify({ file, digest, ...plain(decode(signed.payload)) }));
  }
}

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** The leading symbols of a hash, and the check symbol: sum of symbol times x^(places from the end) in GF(2^5). */
function symbols(hash, count) {
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const values = Array.from({ length: count }, (_, i) => parseInt(bits.slice(5 * i, 5 * i + 5), 2));
  const power = (value, times) => {
    for (let i = 0; i < times; i += 1) value = value & 16 ? ((value << 1) ^ 0b100101) : value << 1;
    return value;
  };
  const check = values.reduce((sum, value, i) => sum ^ power(value, count - i), 0);
  return { body: values.map((value) => ALPHABET[value]).join(""), check: ALPHABET[check] };
}

const spoken = ({ body, check }) => `${body.slice(0, body.length / 2)}-${body.slice(body.length / 2)}-${check}`;

function voice(keyHex, box, recordId, verdict) {
  const of = symbols(createHash("sha256").update(`landlink.example/case/v1\0${recordId}`).digest(), 6);
  const text = ["landlink.example/voice/v1", box, of.body, verdict].join("\0");
  const said = symbols(createHmac("sha256", Buffer.from(keyHex, "hex")).update(text).digest(), 8);
  console.log(JSON.stringify({ case: spoken(of), answer: spoken(said) }));
}

const [verb, ...rest] = process.argv.slice(2);
try {
  await { open, voice }[verb](...rest);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
