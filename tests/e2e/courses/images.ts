import { line, type Session } from '../../support/course.ts';

/** Images: pulled, named, made from containers, packed and sent. */
export const IMAGES: readonly Session[] = [
  {
    title: 'pulled, looked at, removed',
    lines: [
      line(
        'docker pull busybox:1.35',
        /Status: Downloaded newer image for busybox:1\.35\ndocker\.io\/library\/busybox:1\.35$/,
      ),
      line('docker pull busybox:1.35', /Status: Image is up to date for busybox:1\.35/),
      line('docker images busybox', /busybox:1\.35[\s\S]*busybox:latest/),
      line(
        "docker image inspect -f '{{.Os}}/{{.Architecture}} {{len .RootFS.Layers}}' busybox:1.35",
        /^linux\/386 1$/,
      ),
      line('docker history busybox:1.35', /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n/),
      line('docker rmi busybox:1.35', /^Untagged: busybox:1\.35$/m),
    ],
  },
  {
    title: 'another name for the same image',
    lines: [
      line('docker tag busybox toolbox:v1'),
      line('docker tag toolbox:v1 localhost:5000/team/toolbox'),
      line(
        "docker images --format '{{.Repository}}:{{.Tag}}' | sort",
        /^busybox:latest\nlocalhost:5000\/team\/toolbox:latest\ntoolbox:v1$/,
      ),
      line('docker images -q | sort -u | wc -l', /^1$/),
      line('docker run --rm toolbox:v1 echo same', /^same$/),
      line(
        'docker rmi toolbox:v1 localhost:5000/team/toolbox',
        /^Untagged: toolbox:v1\n[\s\S]*^Untagged: localhost:5000\/team\/toolbox:latest$/m,
      ),
    ],
  },
  {
    title: 'made from a container, by hand',
    lines: [
      line("docker run --name base busybox sh -c 'mkdir /www && echo hello > /www/index.html'"),
      line('docker diff base', /^A \/www\nA \/www\/index\.html$/),
      line(
        "docker commit -m 'add a page' -a 'A. Learner' -c 'CMD cat /www/index.html' base page:1",
        /^sha256:[0-9a-f]{64}$/,
      ),
      line('docker run --rm page:1', /^hello$/),
      line("docker history --format '{{.Comment}}' page:1 | head -1", /^add a page$/),
      line(
        "docker inspect -f '{{.Author}} {{json .Config.Cmd}}' page:1",
        /^A\. Learner \["\/bin\/sh","-c","cat \/www\/index\.html"\]$/,
      ),
      line('docker rm base && docker rmi page:1', /^base\nUntagged: page:1\n[\s\S]*Deleted: sha256:/),
    ],
  },
  {
    title: 'saved, removed, loaded',
    lines: [
      line('docker tag busybox keep:1 && docker save -o keep.tar keep:1'),
      line('tar -tf keep.tar', /^manifest\.json$/m),
      line('docker rmi keep:1', /^Untagged: keep:1$/m),
      line('docker load -i keep.tar', /^Loaded image: keep:1$/),
      line('docker save keep:1 | docker load', /^Loaded image: keep:1$/),
      line('docker run --rm keep:1 echo whole', /^whole$/),
      line('docker rmi keep:1 && rm keep.tar', /^Untagged: keep:1$/m),
    ],
  },
  {
    title: 'flattened by export and import',
    lines: [
      line("docker run --name two busybox sh -c 'echo flat > /flat'"),
      line('docker export two | docker import -c \'CMD ["cat","/flat"]\' - flat:1', /^sha256:[0-9a-f]{64}$/),
      line('docker run --rm flat:1', /^flat$/),
      line("docker inspect -f '{{len .RootFS.Layers}}' flat:1", /^1$/),
      line('docker export two | tar -tf - | grep -c flat', /^1$/),
      line('docker rm two; docker rmi -f flat:1', /^two\nUntagged: flat:1\n[\s\S]*Deleted: sha256:/),
    ],
  },
  {
    title: 'pushed to a registry and pulled again',
    lines: [
      line('docker tag busybox {registry}/course/box:1'),
      line('docker push {registry}/course/box:1', /1: digest: sha256:[0-9a-f]{64} size: \d+$/),
      line('docker rmi {registry}/course/box:1', /^Untagged: /),
      line('docker pull -q {registry}/course/box:1', /^[\d.:]+\/course\/box:1$/),
      line("docker inspect -f '{{index .RepoDigests 0}}' {registry}/course/box:1", /@sha256:[0-9a-f]{64}$/),
      line('docker pull {registry}/course/none', /not found: manifest unknown/, 1),
      line('docker rmi {registry}/course/box:1', /^Untagged: /),
    ],
  },
  {
    title: 'an image with layers, from a registry',
    lines: [
      line(
        'docker run --rm {registry}/test/busybox cat /data/kept',
        /^Unable to find image '[\d.:]+\/test\/busybox:latest' locally[\s\S]*kept, and changed$/,
      ),
      line(
        "docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' {registry}/test/busybox",
        /^FLAVOUR=plain$/m,
      ),
      line("docker inspect -f '{{len .RootFS.Layers}}' {registry}/test/busybox", /^3$/),
      line('docker run --rm -u learner {registry}/test/busybox id -u', /^1000$/),
      line('docker rmi {registry}/test/busybox', /^Untagged: [\s\S]*Deleted: sha256:/),
    ],
  },
  {
    title: 'dangling ones pruned',
    lines: [
      line("docker run --name maker busybox sh -c 'echo 1 > /v'; docker commit maker app > /dev/null"),
      line('docker start -a maker; docker commit -m again maker app', /^sha256:/),
      line('docker images -f dangling=true -q | wc -l', /^1$/),
      line('docker image prune -f', /^Deleted Images:\n[\s\S]*Total reclaimed space: /),
      line('docker images -f dangling=true -q | wc -l', /^0$/),
      line('docker rm maker && docker rmi app', /^maker\nUntagged: app:latest\n/),
    ],
  },
];
