# The programs that the build needs on this machine.

# command:package
tools='clang-14:clang-14 wasm-ld-14:lld-14 dpkg-source:dpkg-dev patch:patch
apt-get:apt sha256sum:coreutils'

# Installs what is missing if it may (root on Debian), else names it and fails.
tools_require() {
	local entry missing=()
	for entry in $tools; do
		command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
	done
	((${#missing[@]})) || return 0
	if ((EUID == 0)) && command -v apt-get >/dev/null; then
		say "installing ${missing[*]}"
		apt-get update -q >&2
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}" >&2
	else
		fail "missing: ${missing[*]} (as root on Debian they are installed)"
	fi
}

# The bytes of the module depend on these.
tools_versions() {
	clang-14 --version | sed -n 1p
	wasm-ld-14 --version | sed -n 1p
}
tools_recorded() {
	cat "$codecs/toolchain.lock"
}
