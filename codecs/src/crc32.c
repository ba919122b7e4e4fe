/* CRC-32 as gzip has it (RFC 1952, section 8), 16 bytes at a time, one table for each. */

#include "codecs.h"

static uint32_t tables[16][256];

static void make_tables(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
		tables[0][byte] = crc;
	}
	for (int table = 1; table < 16; table++)
		for (int byte = 0; byte < 256; byte++) {
			uint32_t crc = tables[table - 1][byte];

			tables[table][byte] = crc >> 8 ^ tables[0][crc & 255];
		}
}

static uint64_t word(const uint8_t *bytes)
{
	uint64_t value;

	__builtin_memcpy(&value, bytes, sizeof value);
	return value;
}

uint32_t crc32_update(uint32_t crc, const uint8_t *bytes, size_t length)
{
	if (tables[0][1] == 0)
		make_tables();
	crc = ~crc;
	for (; length >= 16; bytes += 16, length -= 16) {
		uint64_t a = word(bytes) ^ crc, b = word(bytes + 8);

		crc = tables[15][a & 255] ^ tables[14][a >> 8 & 255] ^ tables[13][a >> 16 & 255] ^
		      tables[12][a >> 24 & 255] ^ tables[11][a >> 32 & 255] ^ tables[10][a >> 40 & 255] ^
		      tables[9][a >> 48 & 255] ^ tables[8][a >> 56] ^ tables[7][b & 255] ^
		      tables[6][b >> 8 & 255] ^ tables[5][b >> 16 & 255] ^ tables[4][b >> 24 & 255] ^
		      tables[3][b >> 32 & 255] ^ tables[2][b >> 40 & 255] ^ tables[1][b >> 48 & 255] ^
		      tables[0][b >> 56];
	}
	for (; length > 0; bytes++, length--)
		crc = crc >> 8 ^ tables[0][(crc ^ *bytes) & 255];
	return ~crc;
}
