# The host's root: a list for the kernel's gen_init_cpio.

# Applets that would stop the machine, or that another program is here for.
root_without=' ash bash busybox halt init linuxrc poweroff reboot sh '

root_folders='dev etc etc/bash_completion.d bin sbin proc root run sys tmp usr usr/bin usr/sbin
usr/lib usr/lib/layerbox usr/lib/layerbox/walk usr/lib/layerbox/walk/bin'

# Programs of an image for another platform cannot run, so a container of one gets
# this folder bound in to be walked with.
root_walk=/usr/lib/layerbox/walk/bin

root_file() {
	# the date of a file is taken over into the archive
	touch -h -d "@$SOURCE_DATE_EPOCH" "$1"
	echo "file $2 $1 $3 0 0${4:+ $4}"
}

root_list() {
	local staged=$workdir/root path name
	rm -rf "$staged"
	cp -r "$guest/root" "$staged"
	for path in $root_folders; do
		echo "dir /$path 0755 0 0"
	done
	echo 'nod /dev/console 0600 0 0 c 5 1'

	root_file "$workdir/programs/agent" /init 0755
	root_file "$workdir/programs/curl" /usr/bin/curl 0755
	root_file "$workdir/programs/docker" /usr/bin/docker 0755
	root_file "$workdir/programs/docker-proxy" /usr/lib/layerbox/docker-proxy 0755
	root_file "$workdir/programs/resolver" /usr/lib/layerbox/resolver 0755
	root_file "$workdir/programs/init" /usr/lib/layerbox/init 0755
	root_file "$workdir/programs/foreign" /usr/lib/layerbox/foreign 0755
	root_file "$workdir/i386/bin/bash-static" /bin/bash 0755
	root_file "$workdir/i386/bin/busybox" /bin/busybox 0755 "$root_walk/busybox"
	echo 'slink /bin/sh bash 0777 0 0'
	(cd "$staged" && find etc -type f | sort) | while read -r path; do
		root_file "$staged/$path" "/$path" 0644
	done

	# amd64 runs i386 programs
	"$workdir/i386/bin/busybox" --list-full | sort | while read -r path; do
		name=${path##*/}
		[[ $name == busybox ]] || echo "slink $root_walk/$name busybox 0777 0 0"
		[[ $root_without == *" $name "* ]] || echo "slink /$path /bin/busybox 0777 0 0"
	done
}
