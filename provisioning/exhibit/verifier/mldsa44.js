// ML-DSA-44 verification (FIPS 204, algorithms 3 and 8), the second cosignature of headquarters. Names as there.

const Q = 8380417;
const [K, L, TAU, OMEGA, BETA] = [4, 4, 39, 80, 78];
const [GAMMA1, GAMMA2, DROPPED_BITS, CHALLENGE_BYTES] = [2 ** 17, (Q - 1) / 88, 13, 32];
const [MLDSA44_PUBLIC_BYTES, MLDSA44_SIGNATURE_BYTES] = [1312, 2420];
const modQ = (number) => ((number % Q) + Q) % Q;
const rows = (length, make) => Array.from({ length }, (_, i) => make(i));

/** 1753 to the power of each bit-reversed byte (§7.5, appendix B). */
const ZETAS = rows(256, (m) => {
  let exponent = 0;
  for (let bit = 0; bit < 8; bit += 1) if (m & (1 << bit)) exponent |= 128 >> bit;
  let zeta = 1;
  for (let i = 0; i < exponent; i += 1) zeta = (zeta * 1753) % Q;
  return zeta;
});

function ntt(polynomial) {
  const w = polynomial.map(modQ);
  let m = 0;
  for (let length = 128; length >= 1; length /= 2)
    for (let start = 0; start < 256; start += 2 * length) {
      m += 1;
      for (let j = start; j < start + length; j += 1) {
        const t = (ZETAS[m] * w[j + length]) % Q;
        w[j + length] = modQ(w[j] - t);
        w[j] = (w[j] + t) % Q;
      }
    }
  return w;
}

function inverseNtt(transformed) {
  const w = transformed.slice();
  let m = 256;
  for (let length = 1; length < 256; length *= 2)
    for (let start = 0; start < 256; start += 2 * length) {
      m -= 1;
      for (let j = start; j < start + length; j += 1) {
        const t = w[j];
        w[j] = (t + w[j + length]) % Q;
        w[j + length] = (modQ(w[j + length] - t) * ZETAS[m]) % Q;
      }
    }
  return w.map((value) => (value * 8347681) % Q); // 256^-1
}

/** Numbers of `width` bits, least significant bit first. */
function unpackBits(bytes, width) {
  const numbers = [];
  let [value, bits] = [0, 0];
  for (const byte of bytes) {
    value += byte * 2 ** bits;
    bits += 8;
    while (bits >= width) {
      numbers.push(value % 2 ** width);
      value = Math.floor(value / 2 ** width);
      bits -= width;
    }
  }
  return numbers;
}

function packSixBits(numbers) {
  const bytes = [];
  for (let i = 0; i < numbers.length; i += 4) {
    const value = numbers[i] | (numbers[i + 1] << 6) | (numbers[i + 2] << 12) | (numbers[i + 3] << 18);
    bytes.push(value & 255, (value >> 8) & 255, (value >> 16) & 255);
  }
  return Uint8Array.from(bytes);
}

/** RejNTTPoly (algorithm 30). */
function sampleUniform(seed) {
  const squeeze = shake128(seed);
  const polynomial = [];
  while (polynomial.length < 256) {
    const [low, middle, high] = squeeze(3);
    const value = low + 256 * middle + 65536 * (high & 127);
    if (value < Q) polynomial.push(value);
  }
  return polynomial;
}

/** SampleInBall (algorithm 29): 39 coefficients of 1 or -1. */
function sampleChallenge(seed) {
  const squeeze = shake256(seed);
  const signs = squeeze(8);
  const c = new Array(256).fill(0);
  for (let i = 256 - TAU; i < 256; i += 1) {
    let [j] = squeeze(1);
    while (j > i) [j] = squeeze(1);
    c[i] = c[j];
    const bit = i + TAU - 256;
    c[j] = (signs[bit >> 3] >> (bit & 7)) & 1 ? -1 : 1;
  }
  return c;
}

/** HintBitUnpack (algorithm 21); null for what is not its one spelling. */
function unpackHint(bytes) {
  const hint = rows(K, () => new Array(256).fill(0));
  let index = 0;
  for (let i = 0; i < K; i += 1) {
    const end = bytes[OMEGA + i];
    if (end < index || end > OMEGA) return null;
    for (const first = index; index < end; index += 1) {
      if (index > first && bytes[index - 1] >= bytes[index]) return null;
      hint[i][bytes[index]] = 1;
    }
  }
  return bytes.subarray(index, OMEGA).every((byte) => byte === 0) ? hint : null;
}

/** UseHint (algorithm 40). */
function useHint(hinted, value) {
  let low = value % (2 * GAMMA2);
  if (low > GAMMA2) low -= 2 * GAMMA2;
  const atEnd = value - low === Q - 1;
  const high = atEnd ? 0 : (value - low) / (2 * GAMMA2);
  if (atEnd) low -= 1;
  if (!hinted) return high;
  return (high + (low > 0 ? 1 : 43)) % 44;
}

/** Whether the key of 1,312 bytes signed the message, with no context. */
async function verifyMlDsa44(publicKey, message, signature) {
  if (publicKey.length !== MLDSA44_PUBLIC_BYTES || signature.length !== MLDSA44_SIGNATURE_BYTES) return false;
  const challenge = signature.subarray(0, CHALLENGE_BYTES);
  const zBytes = signature.subarray(CHALLENGE_BYTES, CHALLENGE_BYTES + L * 576);
  const z = rows(L, (i) => unpackBits(zBytes.subarray(576 * i, 576 * (i + 1)), 18).map((value) => GAMMA1 - value));
  const hint = unpackHint(signature.subarray(CHALLENGE_BYTES + L * 576));
  if (!hint || z.some((row) => row.some((value) => Math.abs(value) >= GAMMA1 - BETA))) return false;

  const rho = publicKey.subarray(0, 32);
  const t1 = rows(K, (i) => unpackBits(publicKey.subarray(32 + 320 * i, 352 + 320 * i), 10));
  const zHat = z.map(ntt);
  const cHat = ntt(sampleChallenge(challenge));
  const w1 = t1.map((row, r) => {
    const scaled = ntt(row.map((value) => value * 2 ** DROPPED_BITS));
    const sum = scaled.map((value, i) => modQ(-((cHat[i] * value) % Q)));
    zHat.forEach((column, s) => {
      const a = sampleUniform(concat(rho, Uint8Array.of(s, r)));
      for (let i = 0; i < 256; i += 1) sum[i] = (sum[i] + a[i] * column[i]) % Q;
    });
    return packSixBits(inverseNtt(sum).map((value, i) => useHint(hint[r][i], value)));
  });
  const mu = shake256(concat(shake256(publicKey)(64), Uint8Array.of(0, 0), message))(64);
  return same(shake256(concat(mu, ...w1))(CHALLENGE_BYTES), challenge);
}
