/**
 * Memory of the kernel: where everything lies. Nothing is allocated and nothing grows, so that a view of it stays valid.
 *
 * There are two places for keys, one of what seals and one of what opens, so that a connection that does both in turns
 * expands neither again. Each has the tables of GHASH, the round keys of AES, and room for key streams.
 */

/** Bytes of a block of AES, and of an element of GF(2^128). */
export const BLOCK: usize = 16;

/** Where a caller puts what is sealed or opened: the largest record of DTLS with its header, and some more. */
export const TEXT_LENGTH: usize = 20480;
/** Where it stands. */
export const TEXT: usize = memory.data(20480, 16);

/** Bytes of additional data, at the most. */
export const ADDITIONAL_DATA_LENGTH: usize = 64;
/** Where it stands. */
export const ADDITIONAL_DATA: usize = memory.data(64, 16);

/** 12 bytes of a nonce; the rest of the block is the kernel's. */
export const NONCE: usize = memory.data(16, 16);

/** A key of AES, then its round keys, 15 at the most. What is made of them stands in a place. */
export const KEY: usize = memory.data(240, 16);
/** H, the hash key. */
export const HASH_KEY: usize = memory.data(16, 16);

/** Counter blocks for somebody else's AES, 36,864 bytes as the streams that they become. */
export const COUNTERS: usize = memory.data(36864, 16);

/** Where in a place its hash key is, behind the tables of GHASH for H and its square. */
export const PLACE_HASH_KEY: usize = 1024;
/** Where in a place it says whether the tables of the square are there. */
export const PLACE_HAS_SQUARE: usize = 1024 + 16;
/** Bytes at the beginning of a place that are all of a hash key's: whoever has kept them need not have them made again. */
export const PLACE_TABLES_LENGTH: usize = 1024 + 32;
/** Where in a place its round keys are, as bit slices. */
export const PLACE_ROUND_KEYS: usize = 1024 + 32;
/** Where in a place it says how many rounds. */
export const PLACE_ROUNDS: usize = 1024 + 32 + 15 * 128;
/** Where in a place its key streams begin. */
export const PLACE_STREAMS: usize = 1024 + 48 + 15 * 128;
/** Bytes of a place. */
export const PLACE_LENGTH: usize = 1024 + 48 + 15 * 128 + 36864;
/** The two places. */
export const PLACES: usize = memory.data(2 * (1024 + 48 + 15 * 128 + 36864), 16);

/** The last block of a hash, which has the lengths. */
export const HASH: usize = memory.data(16, 16);
/** The last block of a text, padded. */
export const TAIL: usize = memory.data(16, 16);

/** The state of eight blocks as bit slices. */
export const STATE: usize = memory.data(128, 16);

/** Two states of SHA-1, 20 bytes each: of the inner and the outer hash of HMAC behind the padded key. */
export const MAC_KEY: usize = memory.data(40, 16);
/** A MAC of 20 bytes, then a block that the outer hash is padded in. */
export const MAC: usize = memory.data(20 + 72, 16);
/** The running state of SHA-1. */
export const SHA_STATE: usize = memory.data(20, 16);
/** The message schedule of SHA-1: 80 words. */
export const SCHEDULE: usize = memory.data(320, 16);
