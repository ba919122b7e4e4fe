import { line, type Session } from '../../support/course.ts';

/** The errors that learners make, with Docker's words and exit statuses. */
export const MISTAKES: readonly Session[] = [
  {
    title: 'what is not there',
    lines: [
      line(
        'docker run nosuchimage',
        /^Unable to find image 'nosuchimage:latest' locally\n[\s\S]*manifest unknown[\s\S]*Run 'docker run --help' for more information$/,
        125,
      ),
      line('docker stop nobody', /^Error response from daemon: No such container: nobody$/, 1),
      line('docker rm -f nobody', /^Error response from daemon: No such container: nobody$/),
      line('docker inspect nothing', /^\[\]\n[Ee]rror: No such object: nothing$/, 1),
      line('docker rmi nosuchimage', /^Error response from daemon: No such image: nosuchimage:latest$/, 1),
      line('docker volume rm novolume', /get novolume: no such volume$/, 1),
      line('docker network rm nonet', /network nonet not found/, 1),
      line('echo $?', /^1$/),
    ],
  },
  {
    title: 'a name that is taken, a container that runs',
    lines: [
      line('docker run -d --name web busybox sleep 1000'),
      line(
        'docker run -d --name web busybox sleep 1000',
        /Conflict\. The container name "\/web" is already in use by container "[0-9a-f]{64}"\. You have to remove \(or rename\) that\s+container to be able to reuse that name\./,
        125,
      ),
      line(
        'docker rm web',
        /cannot remove container "\/web": container is running: stop the container before removing or force remove/,
        1,
      ),
      line(
        'docker create --name other busybox > /dev/null; docker rename other web',
        /name "\/web" is already in use/,
        1,
      ),
      line('docker kill other', /is not running/, 1),
      line('docker rm -f web other', /^web\nother$/),
    ],
  },
  {
    title: 'an image in use',
    lines: [
      line('docker create --name user busybox', /^[0-9a-f]{64}$/),
      line(
        'docker rmi busybox',
        /^Error response from daemon: conflict: unable to remove repository reference "busybox" \(must force\) - container [0-9a-f]{12} is using its referenced image [0-9a-f]{12}$/,
        1,
      ),
      line('docker rm user', /^user$/),
      line('docker rmi busybox', /^Untagged: busybox:latest\n[\s\S]*Deleted: sha256:/),
      line('docker run --rm --pull never busybox true', /No such image: busybox:latest/, 125),
      line('docker pull -q busybox', /^docker\.io\/library\/busybox:latest$/),
    ],
  },
  {
    title: 'flags and commands that do not exist',
    lines: [
      line(
        'docker run --nonsense busybox',
        /^unknown flag: --nonsense\n\nUsage: {2}docker run \[OPTIONS\] IMAGE/,
        125,
      ),
      line('docker ps --nonsense', /^unknown flag: --nonsense/, 125),
      line(
        'docker frobnicate',
        /^docker: unknown command: docker frobnicate\n\nRun 'docker --help' for more information$/,
        1,
      ),
      line('docker rm', /requires at least 1 argument/, 1),
      line(
        'docker run -m lots busybox',
        /invalid argument "lots" for "-m, --memory" flag: invalid size: 'lots'/,
        125,
      ),
      line(
        'docker tag busybox UPPER:case',
        /invalid reference format: repository name \(library\/UPPER\) must be lowercase$/,
        1,
      ),
    ],
  },
  {
    title: 'programs that cannot be run',
    lines: [
      line('docker run --rm busybox nosuch', /exec: "nosuch": executable file not found in \$PATH/, 127),
      line('docker run --rm busybox /etc/passwd', /exec: "\/etc\/passwd": permission denied/, 126),
      line('docker run --rm -w /etc/passwd/x busybox true', /not a directory/i, 125),
      line("docker run --rm busybox sh -c 'exit 42'", /^$/, 42),
      line("docker run --rm --init busybox sh -c 'kill -9 $$'", /^$/, 137),
      line(
        'docker run --rm -v relative/path:/x busybox true',
        /includes invalid characters for a local volume name/,
        125,
      ),
    ],
  },
];
