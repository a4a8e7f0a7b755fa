// Bytes and their spellings. Every reader throws Bad for what is not in its format; nothing is guessed.

/** A check that does not hold, with a sentence of the catalogue and what stands in it. */
class Bad extends Error {
  constructor(word, values = {}) {
    super(word);
    this.word = word;
    this.values = values;
  }
}

function must(condition, word, values) {
  if (!condition) throw new Bad(word, values);
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

function fromHex(text) {
  must(/^([0-9a-f]{2})*$/.test(text), "malformed");
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
}

const utf8 = (text) => new TextEncoder().encode(text);

function fromUtf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Bad("malformed");
  }
}

function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

/** Standard base64 with padding, in its one spelling. */
function fromBase64(text) {
  let bytes;
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new Bad("malformed");
  }
  must(base64(bytes) === text, "malformed");
  return bytes;
}

function concat(...parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const same = (one, other) => one.length === other.length && one.every((byte, i) => byte === other[i]);

/** Eight bytes, most significant first. */
function uint64(number) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

const digest = async (algorithm, bytes) => new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
const sha256 = (bytes) => digest("SHA-256", bytes);

/** Twenty hexadecimal digits in groups of four: what two people read to each other. */
const grouped = (digits) => (digits.slice(0, 20).match(/.{4}/g) || []).join(" ");
const fingerprint = (hash) => grouped(hex(hash));
