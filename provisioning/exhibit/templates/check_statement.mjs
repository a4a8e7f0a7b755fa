// Checks one entry's signature with the npm package @auth0/cose: none of the software that made it runs here.
//
//   node check_statement.mjs IDENTITY_DER EPOCH_COSE STATEMENT_COSE
//
// EPOCH_COSE is the log's entry with the certificate of the key: signed (ES256) by the box's identity key, and itself
// by the key in it (EdDSA); the same key signed STATEMENT_COSE. Prints one line of JSON; exits with 1 when not so.
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
process.env.CBOR_NATIVE_ACCELERATION_DISABLED = "true";
const { Sign1 } = await import("@auth0/cose");
const { Decoder } = await import("cbor-x");

const [TYP, CONTEXT, EDDSA, ES256] = [16, -65537, -8, -7];
const decoder = new Decoder({ mapsAsObjects: true, useRecords: false, int64AsNumber: true });
const [identityFile, epochFile, statementFile] = process.argv.slice(2);

async function verify(message, key, algorithm, type) {
  const signed = Sign1.decode(message);
  await signed.verify(key, { algorithms: [algorithm] });
  if (signed.protectedHeaders.get(TYP) !== type) throw new Error(`not of the type ${type}`);
  return signed;
}

try {
  const identity = createPublicKey({ key: readFileSync(identityFile), format: "der", type: "spki" });
  const epoch = readFileSync(epochFile);
  const [, certificate] = decoder.decode(Sign1.decode(epoch).payload);
  const certified = decoder.decode((await verify(certificate, identity, ES256, "landlink/epoch")).payload);
  const x = Buffer.from(certified.public).toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  await verify(epoch, key, EDDSA, "landlink/statement");
  const statement = await verify(readFileSync(statementFile), key, EDDSA, "landlink/statement");
  const [origin, number, mode] = statement.protectedHeaders.get(CONTEXT);
  if (origin !== certified.origin || number !== certified.epoch) throw new Error("the entry names another log or epoch");
  const [kind, hash, bytes] = decoder.decode(statement.payload);
  const blob = hash instanceof Uint8Array ? Buffer.from(hash).toString("hex") : hash;
  console.log(JSON.stringify({ origin, mode, kind, blob, bytes, software: certified.software }));
} catch (error) {
  console.error(`check_statement: ${error.message}`);
  process.exit(1);
}
