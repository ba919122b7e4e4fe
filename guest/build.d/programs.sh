# The project's own programs: static, for i386, with musl. The host's gcc does it
# with -m32; headers and libraries are those of the i386 packages.

programs_compile() {
	local name=$1 gcc=$workdir/i386/usr/lib/gcc/i686-linux-gnu/12
	local include=$workdir/i386/usr/include musl=$workdir/i386/usr/lib/i386-linux-musl
	shift
	gcc -m32 -march=i686 -std=gnu11 -D_GNU_SOURCE -Os -Wall -Wextra -Werror \
		-Wno-unused-result -static -nostdinc -nostdlib -fno-pic -no-pie \
		-fno-stack-protector -fno-asynchronous-unwind-tables -fno-ident \
		-ffunction-sections -fdata-sections "-ffile-prefix-map=$guest=." \
		-Wl,--gc-sections -Wl,--build-id=none -Wl,-z,noseparate-code -s \
		-isystem "$include/i386-linux-musl" -isystem "$gcc/include" \
		-isystem "$include" -isystem "$include/i386-linux-gnu" -I "$guest/agent" \
		-o "$workdir/programs/$name" "$musl/crt1.o" "$musl/crti.o" "$@" \
		"$musl/libc.a" "$gcc/libgcc.a" "$musl/libc.a" "$musl/crtn.o"
}

programs_build() {
	say "compiling agent, curl, docker, docker-proxy, init, foreign, resolver"
	mkdir -p "$workdir/programs"
	programs_compile agent "$guest"/agent/*.c
	programs_compile curl "$guest"/curl/*.c
	programs_compile docker "$guest"/docker/*.c
	programs_compile docker-proxy "$guest"/docker-proxy/*.c
	programs_compile init "$guest"/init/*.c
	programs_compile foreign "$guest"/foreign/*.c
	programs_compile resolver "$guest"/resolver/*.c
}
