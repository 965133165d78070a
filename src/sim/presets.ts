/**
 * Presets: ready-made paths, `up` from the end named first. They are models of a kind of network with round numbers, not
 * measurements of one.
 */
import type { PathConditions } from './conditions.ts';

/** Gigabit Ethernet in one building. */
export const lan: PathConditions = {
  up: { latency: 0.2, rate: 1e9, queueLimit: 1_000_000, mtu: 1500 },
  down: { latency: 0.2, rate: 1e9, queueLimit: 1_000_000, mtu: 1500 },
};

/** A home's Wi-Fi and broadband: little loss, but some jitter and the odd short burst. */
export const wifi: PathConditions = {
  up: {
    latency: 12,
    jitter: 6,
    loss: 0.001,
    burst: { toBad: 0.001, toGood: 0.5 },
    rate: 20e6,
    queueLimit: 256_000,
    mtu: 1500,
  },
  down: {
    latency: 12,
    jitter: 6,
    loss: 0.001,
    burst: { toBad: 0.001, toGood: 0.5 },
    rate: 80e6,
    queueLimit: 512_000,
    mtu: 1500,
  },
};

/** A phone on LTE: the radio hides loss behind delay, queues are deep, handovers lose in bursts. */
export const lte: PathConditions = {
  up: {
    latency: 35,
    jitter: 20,
    burst: { toBad: 0.001, toGood: 0.25 },
    rate: 10e6,
    queueLimit: 500_000,
    mtu: 1428,
  },
  down: {
    latency: 35,
    jitter: 15,
    burst: { toBad: 0.001, toGood: 0.25 },
    rate: 40e6,
    queueLimit: 1_000_000,
    mtu: 1428,
  },
};

/** A geostationary satellite: half a second and more for each round trip. */
export const satellite: PathConditions = {
  up: { latency: 290, jitter: 10, loss: 0.005, rate: 3e6, queueLimit: 500_000, mtu: 1500 },
  down: { latency: 290, jitter: 10, loss: 0.005, rate: 20e6, queueLimit: 2_000_000, mtu: 1500 },
};

/** A path that carries too much: small rate, full queues, 5 % loss, clustered, some reordering and duplicates. */
export const congested: PathConditions = {
  up: {
    latency: 40,
    jitter: 40,
    burst: { toBad: 0.028, toGood: 0.25, lossInBad: 0.5 },
    reorder: 0.01,
    duplicate: 0.001,
    rate: 2e6,
    queueLimit: 64_000,
    mtu: 1500,
  },
  down: {
    latency: 40,
    jitter: 40,
    burst: { toBad: 0.028, toGood: 0.25, lossInBad: 0.5 },
    reorder: 0.01,
    duplicate: 0.001,
    rate: 2e6,
    queueLimit: 64_000,
    mtu: 1500,
  },
};
