// Ed25519 verification (RFC 8032 §5.1.7), written out because many browsers have none. It is slow and need not be
// secret: it sees public keys and signatures only.
//
// Stricter than the RFC asks: keys and R of small order are refused, and every value in another than its one spelling
// (S not below the group's order, y not below p, a negative zero). So one signature has one form.

const P = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (number) => ((number % P) + P) % P;

function power(base, exponent) {
  let result = 1n;
  for (let square = mod(base); exponent > 0n; exponent >>= 1n, square = (square * square) % P)
    if (exponent & 1n) result = (result * square) % P;
  return result;
}

const inverse = (number) => power(number, P - 2n);
const D = mod(-121665n * inverse(121666n));
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);
const IDENTITY = [0n, 1n, 1n, 0n];

/** A number of 32 bytes, least significant first. */
const littleEndian = (bytes) => BigInt(`0x${hex(Uint8Array.from(bytes).reverse()) || "0"}`);

// Points are [X, Y, Z, T] with x = X/Z, y = Y/Z, xy = T/Z (§5.1.4).
function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * D * t1 * t2);
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

const negate = ([x, y, z, t]) => [mod(-x), y, z, mod(-t)];
const isIdentity = ([x, y, z]) => mod(x) === 0n && mod(y - z) === 0n;

function multiply(point, scalar) {
  let result = IDENTITY;
  for (let doubled = point; scalar > 0n; scalar >>= 1n, doubled = add(doubled, doubled))
    if (scalar & 1n) result = add(result, doubled);
  return result;
}

/** The point of 32 bytes (§5.1.3), null when there is none or this is not its one spelling. */
function decompress(bytes) {
  const number = littleEndian(bytes);
  const sign = number >> 255n;
  const y = number & (2n ** 255n - 1n);
  if (y >= P) return null;
  const square = mod((y * y - 1n) * inverse(D * y * y + 1n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(x * x) !== square) return null;
  if (x === 0n && sign) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, mod(x * y)];
}

const BASE = decompress(fromHex(`58${"66".repeat(31)}`));

/** Whether the key of 32 bytes signed the message. */
async function verifyEd25519(publicKey, message, signature) {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const key = decompress(publicKey);
  const r = decompress(signature.subarray(0, 32));
  const s = littleEndian(signature.subarray(32));
  if (!key || !r || s >= ORDER) return false;
  if (isIdentity(multiply(key, 8n)) || isIdentity(multiply(r, 8n))) return false;
  const k = littleEndian(await digest("SHA-512", concat(signature.subarray(0, 32), publicKey, message))) % ORDER;
  const difference = add(add(multiply(BASE, s), negate(multiply(key, k))), negate(r));
  return isIdentity(difference);
}
