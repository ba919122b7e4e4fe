# The Debian packages that the machine is made of: packages.lock records one a line,
# name, architecture, version and SHA-256.

packages='linux-source-6.1:all musl-dev:i386 libgcc-12-dev:i386 linux-libc-dev:i386
bash-static:i386 busybox-static:i386'
lock=$guest/packages.lock

# apt for one architecture, with its state in the work folder, so that neither the
# architectures nor the lists of this machine change. It asks where this machine's own
# apt asks. Packages for `all` are looked for among those of amd64.
packages_apt() {
	local architecture=${1/all/amd64} command=$2
	shift 2
	APT_CONFIG=$workdir/apt/$architecture/apt.conf "$command" "$@"
}

packages_prepare() {
	local architecture folder
	mkdir -p "$workdir/packages"
	for architecture in amd64 i386; do
		folder=$workdir/apt/$architecture
		mkdir -p "$folder"/{state/lists/partial,cache/archives/partial}
		: >"$folder/status"
		cat >"$folder/apt.conf" <<CONF
Dir::State "$folder/state";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
	done
}

packages_update_lists() {
	local architecture
	[[ -e $workdir/apt/updated ]] && return
	say "reading the lists of packages"
	for architecture in amd64 i386; do
		# Some source may not have it. What is really missing shows at the download.
		packages_apt "$architecture" apt-get update -qq || true
	done
	touch "$workdir/apt/updated"
}

# Where a package of the lock lies once downloaded.
packages_file() {
	echo "$workdir/packages/$1_$2_${3//:/%3a}.deb"
}

packages_download() {
	local name=$1 architecture=$2 version=$3 file folder
	file=$(packages_file "$@")
	[[ -e $file ]] && return
	packages_update_lists
	say "downloading $name $version"
	folder=$(mktemp -d "$workdir/packages/new.XXXXXX")
	(cd "$folder" && packages_apt "$architecture" apt-get download -qq "$name=$version") ||
		fail "$name $version cannot be downloaded; guest/build --update records newer ones"
	mv "$folder"/*.deb "$file"
	rmdir "$folder"
}

packages_record() {
	local entry name architecture version
	rm -f "$workdir/apt/updated"
	packages_update_lists
	for entry in $packages; do
		name=${entry%%:*} architecture=${entry##*:}
		version=$(packages_apt "$architecture" apt-cache show "$name" |
			awk '/^Version: / && !found { print $2; found = 1 }')
		[[ $version ]] || fail "$name is in no list of packages"
		packages_download "$name" "$architecture" "$version"
		echo "$name $architecture $version $(sha256sum <"$(packages_file "$name" "$architecture" "$version")" | cut -d' ' -f1)"
	done >"$workdir/packages.lock"
	cp "$workdir/packages.lock" "$lock"
}

# Checks each package against the lock. Then: $workdir/i386 has the i386 ones
# unpacked, $workdir/linux the kernel's source.
packages_unpack() {
	local name architecture version digest file
	[[ -e $lock ]] || fail "no packages.lock; guest/build --update writes one"
	rm -rf "$workdir/i386" "$workdir/linux"
	mkdir "$workdir/i386" "$workdir/linux"
	while read -r name architecture version digest; do
		packages_download "$name" "$architecture" "$version"
		file=$(packages_file "$name" "$architecture" "$version")
		echo "$digest  $file" | sha256sum --check --quiet ||
			fail "$name $version is not what packages.lock records"
		if [[ $architecture == i386 ]]; then
			dpkg-deb -x "$file" "$workdir/i386"
		else
			dpkg-deb --fsys-tarfile "$file" | tar -xO ./usr/src/linux-source-6.1.tar.xz |
				xz -dc | tar -x -C "$workdir/linux" --strip-components=1
		fi
	done <"$lock"
}
