# The programs that the build needs on this machine.

# command:package
tools='gcc:gcc make:make bc:bc flex:flex bison:bison m4:m4 xz:xz-utils patch:patch
objcopy:binutils gzip:gzip apt-get:apt dpkg-deb:dpkg sha256sum:coreutils'

# Installs what is missing if it may (root on Debian), else names it and fails.
tools_require() {
	local entry missing=()
	for entry in $tools; do
		command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
	done
	# make ARCH=i386 links its own tools against the C library
	[[ -e /usr/include/stdio.h ]] || missing+=(libc6-dev)
	((${#missing[@]})) || return 0
	if ((EUID == 0)) && command -v apt-get >/dev/null; then
		say "installing ${missing[*]}"
		apt-get update -q >&2
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >&2
	else
		fail "missing: ${missing[*]} (as root on Debian they are installed)"
	fi
}

# The bytes of the kernel depend on these.
tools_versions() {
	gcc --version | sed -n 1p
	ld --version | sed -n 1p
	gzip --version | sed -n 1p
}
tools_recorded() {
	cat "$guest/toolchain.lock"
}
