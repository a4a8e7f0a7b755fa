// Deterministic CBOR (RFC 8949 §4.2.1), the part that the box's formats use: no tags, no indefinite lengths.

const CBOR_DEPTH_MAX = 16;

/** One item, nothing behind it: null, boolean, number (BigInt beyond 2^53), text, Uint8Array, Array, Map. */
function decodeCbor(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;

  function take(length) {
    must(at + length <= bytes.length, "malformed");
    at += length;
    return at - length;
  }

  /** The argument of a head in its shortest form, as Number or, beyond 2^53, BigInt. */
  function argument(low) {
    if (low < 24) return low;
    must(low <= 27, "malformed");
    const size = 1 << (low - 24);
    const start = take(size);
    const value = size === 8 ? view.getBigUint64(start) : BigInt(size === 4 ? view.getUint32(start) : size === 2 ? view.getUint16(start) : view.getUint8(start));
    must(value >= [24n, 1n << 8n, 1n << 16n, 1n << 32n][low - 24], "malformed");
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }

  const count = (low) => {
    const length = argument(low);
    must(typeof length === "number" && length <= bytes.length, "malformed");
    return length;
  };

  function map(low, depth) {
    const items = new Map();
    let before = null;
    for (let left = count(low); left > 0; left -= 1) {
      const start = at;
      const key = item(depth + 1);
      must(typeof key === "string" || typeof key === "number", "malformed");
      const encoded = bytes.subarray(start, at);
      must(before === null || compareBytes(before, encoded) < 0, "malformed");
      before = encoded;
      items.set(key, item(depth + 1));
    }
    return items;
  }

  function simple(low) {
    if (low === 20 || low === 21) return low === 21;
    if (low === 22) return null;
    if (low === 25) return half(view.getUint16(take(2)));
    if (low === 26) return view.getFloat32(take(4));
    must(low === 27, "malformed");
    return view.getFloat64(take(8));
  }

  function item(depth) {
    must(depth <= CBOR_DEPTH_MAX, "malformed");
    const head = bytes[take(1)];
    const low = head & 31;
    switch (head >> 5) {
      case 0:
        return argument(low);
      case 1: {
        const value = -1n - BigInt(argument(low));
        return value >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(value) : value;
      }
      case 2: {
        const length = count(low);
        const start = take(length);
        return bytes.slice(start, start + length);
      }
      case 3: {
        const length = count(low);
        const start = take(length);
        return fromUtf8(bytes.subarray(start, start + length));
      }
      case 4:
        return Array.from({ length: count(low) }, () => item(depth + 1));
      case 5:
        return map(low, depth);
      case 7:
        return simple(low);
      default:
        throw new Bad("malformed");
    }
  }

  const value = item(0);
  must(at === bytes.length, "malformed");
  return value;
}

function compareBytes(one, other) {
  for (let i = 0; i < Math.min(one.length, other.length); i += 1) if (one[i] !== other[i]) return one[i] - other[i];
  return one.length - other.length;
}

/** A half-precision float (RFC 8949, appendix D). */
function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : Infinity) : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}

/** Head and content of a byte string (2) or text (3). */
function encodeString(major, content) {
  const length = content.length;
  const head = length < 24 ? [length] : length < 256 ? [24, length] : length < 65536 ? [25, length >> 8, length & 255] : [26, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255];
  head[0] |= major << 5;
  return concat(Uint8Array.from(head), content);
}

/** The same value as `record.json` spells it: byte strings in hexadecimal, maps as objects. */
function asJson(value) {
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(asJson);
  if (value instanceof Map) return Object.fromEntries(Array.from(value, ([key, item]) => [key, asJson(item)]));
  return typeof value === "bigint" ? Number(value) : value;
}
