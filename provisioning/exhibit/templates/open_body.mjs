// Opens a sealed body with the npm package age-encryption: none of the software that sealed it runs here.
//
//   node open_body.mjs KEY BODY > RECORD
//
// KEY is headquarters' file of identities (AGE-SECRET-KEY-PQ-1..., one a line). Writes the record inside, without its
// length before it and the zeros behind it; exits with 1 when BODY was altered, or is for somebody else.
import { readFileSync } from "node:fs";
import { Decrypter } from "age-encryption";

const [keyFile, bodyFile] = process.argv.slice(2);

try {
  const decrypter = new Decrypter();
  for (const line of readFileSync(keyFile, "utf8").split("\n")) if (line.startsWith("AGE-SECRET-KEY-")) decrypter.addIdentity(line.trim());
  const padded = await decrypter.decrypt(new Uint8Array(readFileSync(bodyFile)));
  const end = 4 + new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  if (end > padded.length || padded.subarray(end).some((byte) => byte !== 0)) throw new Error("not padded as it should be");
  process.stdout.write(padded.subarray(4, end));
} catch (error) {
  console.error(`open_body: ${error.message}`);
  process.exit(1);
}
