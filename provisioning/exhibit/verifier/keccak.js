// SHAKE128 and SHAKE256 (FIPS 202), which browsers do not have and ML-DSA needs.

const LANE = (1n << 64n) - 1n;
const turn = (lane, by) => (by ? ((lane << BigInt(by)) | (lane >> BigInt(64 - by))) & LANE : lane);

/** The constants of ι by the linear feedback shift register of §3.2.5. */
const ROUND_CONSTANTS = (() => {
  let register = 1;
  const bit = () => {
    const out = register & 1;
    register = register & 0x80 ? ((register << 1) ^ 0x171) & 0xff : register << 1;
    return out;
  };
  return Array.from({ length: 24 }, () => {
    let constant = 0n;
    for (let j = 0; j < 7; j += 1) if (bit()) constant |= 1n << BigInt(2 ** j - 1);
    return constant;
  });
})();

/** ρ and π in one walk (§3.2.2, §3.2.3): from which lane to which, turned by how much. */
const WALK = (() => {
  const steps = [];
  let [x, y] = [1, 0];
  for (let t = 0; t < 24; t += 1) {
    const [nextX, nextY] = [y, (2 * x + 3 * y) % 5];
    steps.push({ from: x + 5 * y, to: nextX + 5 * nextY, by: (((t + 1) * (t + 2)) / 2) % 64 });
    [x, y] = [nextX, nextY];
  }
  return steps;
})();

function keccakF(lanes) {
  for (const constant of ROUND_CONSTANTS) {
    const columns = [0, 1, 2, 3, 4].map((x) => lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]);
    for (let i = 0; i < 25; i += 1) lanes[i] ^= columns[(i + 4) % 5] ^ turn(columns[(i + 1) % 5], 1);
    const moved = lanes.slice();
    for (const { from, to, by } of WALK) moved[to] = turn(lanes[from], by);
    for (let i = 0; i < 25; i += 1) {
      const row = i - (i % 5);
      lanes[i] = moved[i] ^ (~moved[row + ((i + 1) % 5)] & LANE & moved[row + ((i + 2) % 5)]);
    }
    lanes[0] ^= constant;
  }
}

/** A function that gives the next `length` bytes of SHAKE; `rate` is 168 for SHAKE128, 136 for SHAKE256. */
function shake(rate, message) {
  const lanes = new Array(25).fill(0n);
  const padded = new Uint8Array(Math.ceil((message.length + 1) / rate) * rate);
  padded.set(message);
  padded[message.length] = 0x1f;
  padded[padded.length - 1] |= 0x80;
  const view = new DataView(padded.buffer);
  for (let block = 0; block < padded.length; block += rate) {
    for (let i = 0; i < rate / 8; i += 1) lanes[i] ^= view.getBigUint64(block + 8 * i, true);
    keccakF(lanes);
  }
  let used = 0;
  const next = () => {
    if (used === rate) {
      keccakF(lanes);
      used = 0;
    }
    const byte = Number((lanes[used >> 3] >> BigInt(8 * (used & 7))) & 0xffn);
    used += 1;
    return byte;
  };
  return (length) => Uint8Array.from({ length }, next);
}

const shake128 = (message) => shake(168, message);
const shake256 = (message) => shake(136, message);
