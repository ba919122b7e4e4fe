/* The frames that cross the one virtio-console port between the engine (the
 * "host side" here) and the agent (PID 1 of the guest). The TypeScript half is
 * src/machine/protocol.ts; both carry PROTOCOL_VERSION and refuse another.
 *
 * frame   = u32 length | u16 channel | u8 type | u8 flag | payload[length]
 * All integers are little-endian. A payload is at most MAX_PAYLOAD bytes.
 * Channels 1..0x7fff are opened by the host (SPAWN), 0x8000..0xffff by the
 * agent (REQUEST: a `docker` process in the guest wants to be served).
 *
 * Flow control: each channel and direction starts with WINDOW bytes. A sender
 * of DATA subtracts; the receiver gives back with CREDIT what was really
 * consumed. EOF, SIGNAL, RESIZE, EXIT and the rest cost nothing.
 *
 * A "word list" is a sequence of `key=value` strings, each ended by NUL. Values
 * are raw bytes without NUL.
 */
#ifndef LAYERBOX_PROTOCOL_H
#define LAYERBOX_PROTOCOL_H

#include <stdint.h>

#define PROTOCOL_VERSION 1
#define MAX_PAYLOAD 16384
#define WINDOW 65536

struct frame_header {
	uint32_t length;
	uint16_t channel;
	uint8_t type;
	uint8_t flag;
} __attribute__((packed));

/* Streams, in the flag of DATA and EOF. */
enum { STREAM_IN = 0, STREAM_OUT = 1, STREAM_ERR = 2 };

enum frame_type {
	/* host -> guest ------------------------------------------------------ */

	/* Word list; opens the channel. Answered by STARTED or ERROR.
	 *   argv=  repeated; argv[0] is looked up in the PATH of env= inside the root
	 *   env=   repeated, NAME=value
	 *   cwd=   default /; created if missing, as Docker does for WorkingDir
	 *   uid= gid= groups=1,2,3   decimal
	 *   tty=rows,cols            a pty of the process's own devpts; else three pipes
	 *   root=/path               make a container: new mount, pid, uts, ipc and net
	 *                            namespaces, pivot into this directory
	 *   hostname=                for a new uts namespace
	 *   bind=src\037dst\037options\037within   repeated; src is a path of the
	 *                            guest's host side, dst of the container; options
	 *                            ro, nonrecursive, nonrecursivero, mustexist; of
	 *                            what is in src the path `within`, if it is given
	 *   tmpfs=dst\037options      repeated, in order with bind=; options as of
	 *                            mount(8)
	 *   program=/path            of the host, static: runs in place of argv[0]
	 *   readonly=1               the container's root is mounted read-only
	 *   cgroup=name              /sys/fs/cgroup/layerbox/<name>, made if missing
	 *   exec=channel             join the namespaces, root and cgroup of the
	 *                            container that this channel runs
	 *   network=name             in a network namespace made by op=network, or in
	 *                            the host's (`host`); without it a container has
	 *                            a new one, and other programs are in the host's
	 *   capabilities=hex         bounding, permitted and effective set; default all
	 *   privileged=1             /sys, /proc/sys and the cgroups can be written, and
	 *                            all of the host's devices are there
	 *   rlimit=resource,soft,hard   repeated; setrlimit(2), -1 is no limit
	 */
	FRAME_SPAWN = 1,
	FRAME_DATA = 2,    /* both ways; flag = stream */
	FRAME_EOF = 3,     /* both ways; flag = stream; no more DATA of it follows */
	FRAME_CREDIT = 4,  /* both ways; u32 bytes consumed */
	FRAME_RESIZE = 5,  /* both ways; u16 rows, u16 columns */
	FRAME_SIGNAL = 6,  /* both ways; u32 number; flag 1: to the tty's foreground group */
	FRAME_EXIT = 7,    /* both ways; u32 code (128+n for a signal), u32 signal or 0;
	                    * the channel is free again. host -> guest: ends a request */
	/* To a request channel. flag bits: 1 forward stdin, 2 terminal raw,
	 * 4 forward signals instead of dying of them, 8 stop all of it. */
	FRAME_ATTACH = 8,
	/* channel = a cookie; a word list whose first word is `op=`; answered by
	 * CONTROL with the same cookie: u32 errno, then text.
	 *   op=time ms=          set the wall clock, milliseconds since 1970
	 *   op=mount target= options=   mount the 9P export
	 *   op=bind source= target=
	 *   op=unmount target=
	 *   op=sync              sync(2), answered when done
	 *   op=drop level=       /proc/sys/vm/drop_caches
	 *   op=write path= value=       one write(2), for /proc/sys and cgroup files
	 *   op=read path=        up to 16000 bytes of text
	 *   op=file path= value=        the whole file anew, in place; makes it and
	 *                               the folders that lead to it
	 *   op=removefiles path=        a folder and the files in it
	 *   op=hostname name=
	 *   op=removecgroup name=
	 *   op=freeze name= state=0|1
	 *   op=network name=            make a network namespace, with lo alone
	 *   op=removenetwork name=
	 *   op=bridge name= mac= address=a.b.c.d/n     in the host's namespace, up
	 *   op=connect network= host= bridge= name= mac= address=   a pair of links:
	 *                               `host` at the bridge, `name` in the network
	 *   op=removelink name=         of the host's namespace
	 *   op=route network= gateway=  the default route; empty: none
	 */
	FRAME_CONTROL = 9,

	/* guest -> host ------------------------------------------------------ */

	FRAME_READY = 64,   /* u32 PROTOCOL_VERSION; channel 0, once */
	FRAME_STARTED = 65, /* u32 pid as the guest's host side sees it; the exec succeeded */
	/* u32 errno, u32 exit code as Docker has it (126 not executable, 127 not
	 * found, 125 else), then text "stage: reason". For a SPAWN that failed it is
	 * the channel's last frame. */
	FRAME_ERROR = 66,
	/* Word list from a `docker` process: argv= env= cwd= uid= tty=mask,rows,cols
	 * (mask bit 0..2: that descriptor is a terminal) program= (argv[0]'s name).
	 * Host answers with DATA (flag OUT or ERR), ATTACH and at last EXIT. stdin
	 * is read only after ATTACH bit 1. */
	FRAME_REQUEST = 67,
	FRAME_GONE = 68,    /* the process behind a request channel is gone; the channel is free */
};

#endif
