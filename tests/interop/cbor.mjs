// CBOR for the scripts here: cbor-x without its native part, maps as Map, big integers as numbers.
process.env.CBOR_NATIVE_ACCELERATION_DISABLED = "true";
const { Decoder } = await import("cbor-x");
const decoder = new Decoder({ mapsAsObjects: false, useRecords: false, int64AsNumber: true });

export const decode = (bytes) => decoder.decode(bytes);

export const hex = (bytes) => Buffer.from(bytes).toString("hex");

/** Decoded CBOR as JSON can say it: byte strings in hexadecimal digits, maps as objects. */
export function plain(value) {
  if (value instanceof Uint8Array) return hex(value);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), plain(item)]));
  if (Array.isArray(value)) return value.map(plain);
  return value;
}
