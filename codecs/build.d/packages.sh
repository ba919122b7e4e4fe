# The Debian source packages that the module is made of: packages.lock records one file of
# them a line: package, version, file and SHA-256.

packages='libdeflate libzstd'
lock=$codecs/packages.lock

# apt for source packages, with its state in the work folder, so that the lists of this
# machine do not change. It asks where this machine's own apt asks.
packages_apt() {
	local command=$1
	shift
	APT_CONFIG=$workdir/apt/apt.conf "$command" "$@"
}

packages_prepare() {
	local folder=$workdir/apt list
	mkdir -p "$workdir/packages" "$folder"/{state/lists/partial,cache/archives/partial,sources}
	: >"$folder/status"
	cat >"$folder/apt.conf" <<CONF
Dir::State "$folder/state";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$folder/sources";
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
	# the same places, asked for sources
	for list in /etc/apt/sources.list.d/*.sources; do
		[[ -e $list ]] || continue
		sed 's/^Types:.*/Types: deb-src/' "$list" >"$folder/sources/${list##*/}"
	done
	for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[[ -e $list ]] || continue
		sed -n 's/^deb /deb-src /p' "$list" >"$folder/sources/${list##*/}"
	done
}

packages_update_lists() {
	[[ -e $workdir/apt/updated ]] && return
	say "reading the lists of packages"
	# Some source may not have it. What is really missing shows at the download.
	packages_apt apt-get update -qq || true
	touch "$workdir/apt/updated"
}

# Downloads all files of a package, unless the lock's are there.
packages_download() {
	local name=$1 version=$2 file
	for file in $(awk -v name="$name" '$1 == name { print $3 }' "$3"); do
		[[ -e $workdir/packages/$file ]] && continue
		packages_update_lists
		say "downloading $name $version"
		(cd "$workdir/packages" && packages_apt apt-get source -qq --download-only "$name=$version") >&2 ||
			fail "$name $version cannot be downloaded; codecs/build --update records newer ones"
		return
	done
}

packages_record() {
	local name version folder
	rm -rf "$workdir/apt/updated" "$workdir/packages"
	packages_update_lists
	for name in $packages; do
		version=$(packages_apt apt-cache showsrc --only-source "$name" |
			awk '/^Version: / && !found { print $2; found = 1 }')
		[[ $version ]] || fail "$name is in no list of source packages"
		folder=$workdir/packages/$name
		mkdir -p "$folder"
		(cd "$folder" && packages_apt apt-get source -qq --download-only "$name=$version") >&2 ||
			fail "$name $version cannot be downloaded"
		(cd "$folder" && sha256sum ./*) | while read -r digest file; do
			# a detached signature is not needed to build
			[[ $file == *.asc ]] || echo "$name $version ${file#./} $digest"
		done
		mv "$folder"/* "$workdir/packages"
		rmdir "$folder"
	done >"$workdir/packages.lock"
	cp "$workdir/packages.lock" "$lock"
}

# Checks each file against the lock. Then $workdir/libdeflate and $workdir/libzstd have the
# sources with Debian's patches and those in patches/.
packages_unpack() {
	local name version file digest patch
	[[ -e $lock ]] || fail "no packages.lock; codecs/build --update writes one"
	while read -r name version file digest; do
		packages_download "$name" "$version" "$lock"
		echo "$digest  $workdir/packages/$file" | sha256sum --check --quiet ||
			fail "$file is not what packages.lock records"
	done <"$lock"
	for name in $packages; do
		rm -rf "${workdir:?}/$name"
		file=$(awk -v name="$name" '$1 == name && $3 ~ /[.]dsc$/ { print $3 }' "$lock")
		dpkg-source --no-check -x "$workdir/packages/$file" "$workdir/$name" >"$workdir/$name.log" 2>&1 ||
			fail "$name cannot be unpacked; see $workdir/$name.log"
		for patch in "$codecs/patches/$name"-*.patch; do
			patch --quiet -d "$workdir/$name" -p2 <"$patch" || fail "$patch does not apply"
		done
	done
}
