# From C to codecs.wasm.

# WebAssembly with SIMD and bulk memory, which every current browser has; no C library.
# Of paths nothing may stay in the result.
compiler=(clang-14 --target=wasm32 -std=c11 -O3 -msimd128 -mbulk-memory -ffreestanding
	-nostdlibinc -fvisibility=hidden -Wall -Wno-unused-function)

libzstd_files='common/entropy_common common/error_private common/fse_decompress common/xxhash
common/zstd_common decompress/huf_decompress decompress/zstd_ddict decompress/zstd_decompress
decompress/zstd_decompress_block'
# One of each pair of decoders, the one that is faster in WebAssembly.
libzstd_options=(-DXXH_NAMESPACE=ZSTD_ -DZSTD_LEGACY_SUPPORT=0 -DZSTD_TRACE=0 -DZSTD_DISABLE_ASM
	-DDYNAMIC_BMI2=0 -DHUF_FORCE_DECOMPRESS_X1 -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT)

compile() {
	local objects=$workdir/objects source file
	rm -rf "$objects"
	mkdir "$objects"
	cd "$workdir"
	source=(-I"$codecs/src" -isystem "$codecs/src/include")
	for file in memory crc32 sha256 unpack; do
		"${compiler[@]}" "${source[@]}" -c "$codecs/src/$file.c" -o "$objects/$file.o"
	done
	"${compiler[@]}" "${source[@]}" -Ilibdeflate -c "$codecs/src/gzip.c" -o "$objects/gzip.o"
	source+=(-include "$codecs/src/deps.h" -Ilibzstd/lib -Ilibzstd/lib/common "${libzstd_options[@]}")
	"${compiler[@]}" "${source[@]}" -c "$codecs/src/zstd.c" -o "$objects/zstd.o"
	for file in $libzstd_files; do
		"${compiler[@]}" "${source[@]}" -c "libzstd/lib/$file.c" -o "$objects/${file##*/}.o"
	done
	# the stack lies lowest, so that one that overflows is an error and overwrites nothing
	wasm-ld-14 --no-entry --gc-sections --strip-all -O2 -z stack-size=65536 --stack-first \
		--max-memory=4293918720 "$objects"/*.o -o codecs.wasm
	cd - >/dev/null
}
