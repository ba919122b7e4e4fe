# The kernel, with the host's root inside.

kernel_make() {
	# The path of the work folder must not get in by __FILE__ or otherwise.
	make -s -C "$workdir/linux" -j "$jobs" ARCH=i386 \
		KCFLAGS="-ffile-prefix-map=$workdir/linux=." \
		KAFLAGS="-ffile-prefix-map=$workdir/linux=." \
		KBUILD_BUILD_TIMESTAMP="$(date -d "@$SOURCE_DATE_EPOCH")" KBUILD_BUILD_VERSION=1 \
		KBUILD_BUILD_USER=layerbox KBUILD_BUILD_HOST=layerbox "$@"
}

# olddefconfig drops without a word what it cannot have.
kernel_check_config() {
	local config=$workdir/linux/.config line name broken=0
	while IFS= read -r line; do
		case $line in
		CONFIG_*)
			grep -qxF -- "$line" "$config" && continue
			;;
		'# CONFIG_'*)
			name=${line#\# }
			grep -q "^${name%% *}=" "$config" || continue
			;;
		*) continue ;;
		esac
		echo "guest/build: the configuration does not hold: $line" >&2
		broken=1
	done <"$guest/kernel/config.fragment"
	return $broken
}

kernel_build() {
	local linux=$workdir/linux
	local change
	for change in "$guest"/kernel/*.patch; do
		patch -s -d "$linux" -p1 <"$change"
	done
	kernel_make tinyconfig >/dev/null
	(cd "$linux" && ARCH=i386 scripts/kconfig/merge_config.sh -m .config \
		"$guest/kernel/config.fragment" >/dev/null 2>&1)
	kernel_make olddefconfig 2>/dev/null
	kernel_check_config || fail "see above"
	# by a relative name: the configuration is readable in the guest
	cp "$workdir/initramfs.list" "$linux/initramfs.list"
	say "compiling the kernel"
	kernel_make vmlinux
	objcopy --strip-all "$linux/vmlinux" "$workdir/vmlinux"
	gzip -n -9 <"$workdir/vmlinux" >"$workdir/vmlinux.gz"
}
