/*
 * SHA-256 (FIPS 180-4, section 6.2), the message schedule four words at a time. Whole blocks
 * only: who calls puts the padding behind the last.
 */

#include "codecs.h"
#include <wasm_simd128.h>

/* 4.2.2 */
static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};
static uint32_t state[8];

#define ROR(x, n) __builtin_rotateright32((x), (n))
/* Both sums take s1, which is there last, last: 8 % faster than one sum for the other. */
#define ROUND(a, b, c, d, e, f, g, h, i) \
	do { \
		uint32_t t = (h + wk[i]) + (g ^ (e & (f ^ g))); \
		uint32_t s1 = ROR(e, 6) ^ ROR(e, 11) ^ ROR(e, 25); \
		uint32_t s0 = ROR(a, 2) ^ ROR(a, 13) ^ ROR(a, 22); \
		d = (d + t) + s1; \
		h = (t + (s0 + (b ^ ((a ^ b) & (b ^ c))))) + s1; \
	} while (0)
#define ROUNDS(i) \
	ROUND(a, b, c, d, e, f, g, h, i); \
	ROUND(h, a, b, c, d, e, f, g, i + 1); \
	ROUND(g, h, a, b, c, d, e, f, i + 2); \
	ROUND(f, g, h, a, b, c, d, e, i + 3); \
	ROUND(e, f, g, h, a, b, c, d, i + 4); \
	ROUND(d, e, f, g, h, a, b, c, i + 5); \
	ROUND(c, d, e, f, g, h, a, b, i + 6); \
	ROUND(b, c, d, e, f, g, h, a, i + 7)

#define VROR(x, n) wasm_v128_or(wasm_u32x4_shr(x, n), wasm_i32x4_shl(x, 32 - n))

/* 5.3.3 */
void EXPORT(sha256_start)(void)
{
	static const uint32_t first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	__builtin_memcpy(state, first, sizeof state);
}
/* Eight words; after the last block they are the digest, most significant byte first. */
uint32_t *EXPORT(sha256_state)(void) { return state; }

void EXPORT(sha256_blocks)(const uint8_t *bytes, size_t blocks)
{
	for (; blocks > 0; blocks--, bytes += 64) {
		uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
		uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
		/* the schedule, each word with its constant added */
		uint32_t wk[64];
		v128_t w[4];

		for (int i = 0; i < 4; i++) {
			v128_t v = wasm_v128_load(bytes + 16 * i);
			w[i] = wasm_i8x16_shuffle(v, v, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
			wasm_v128_store(wk + 4 * i, wasm_i32x4_add(w[i], wasm_v128_load(k + 4 * i)));
		}
#pragma clang loop unroll(full)
		for (int i = 16; i < 64; i += 4) {
			v128_t w1 = wasm_i32x4_shuffle(w[0], w[1], 1, 2, 3, 4);
			v128_t w9 = wasm_i32x4_shuffle(w[2], w[3], 1, 2, 3, 4);
			v128_t s0 = wasm_v128_xor(wasm_v128_xor(VROR(w1, 7), VROR(w1, 18)), wasm_u32x4_shr(w1, 3));
			v128_t t = wasm_i32x4_add(wasm_i32x4_add(w[0], s0), w9);
			/* sigma1 of the last two of w[3] gives the first two, which give the other two */
			v128_t x = wasm_i32x4_shuffle(w[3], w[3], 2, 3, 2, 3);
			v128_t s1 = wasm_v128_xor(wasm_v128_xor(VROR(x, 17), VROR(x, 19)), wasm_u32x4_shr(x, 10));
			v128_t lo = wasm_i32x4_add(t, s1);
			x = wasm_i32x4_shuffle(lo, lo, 0, 1, 0, 1);
			s1 = wasm_v128_xor(wasm_v128_xor(VROR(x, 17), VROR(x, 19)), wasm_u32x4_shr(x, 10));
			v128_t hi = wasm_i32x4_add(t, s1);
			v128_t n = wasm_i32x4_shuffle(lo, hi, 0, 1, 6, 7);
			w[0] = w[1];
			w[1] = w[2];
			w[2] = w[3];
			w[3] = n;
			wasm_v128_store(wk + i, wasm_i32x4_add(n, wasm_v128_load(k + i)));
		}
		ROUNDS(0);
		ROUNDS(8);
		ROUNDS(16);
		ROUNDS(24);
		ROUNDS(32);
		ROUNDS(40);
		ROUNDS(48);
		ROUNDS(56);
		state[0] += a;
		state[1] += b;
		state[2] += c;
		state[3] += d;
		state[4] += e;
		state[5] += f;
		state[6] += g;
		state[7] += h;
	}
}
