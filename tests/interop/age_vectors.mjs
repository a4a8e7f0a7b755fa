// Writes the test vectors of the npm package cctv-age (C2SP CCTV) into a folder, one file each, as they are.
//
//   node age_vectors.mjs FOLDER
//
// Prints how many there are.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vectors from "cctv-age";

const [folder] = process.argv.slice(2);
const files = Object.entries(vectors.default ?? vectors);
for (const [name, content] of files) writeFileSync(join(folder, name), content);
console.log(files.length);
