import { line, type Session } from '../../support/course.ts';

/** Networks: servers and clients that find each other, and ports on the host. */
export const NETWORKS: readonly Session[] = [
  {
    title: 'a web server and a client on a network',
    lines: [
      line('docker network create lan', /^[0-9a-f]{64}$/),
      line('docker run -d --name web --network lan busybox sh -c "echo hi > /index.html; httpd -f -h /"'),
      line('docker run --rm --network lan busybox wget -qO- http://web/', /^hi$/),
      line('docker run --rm busybox wget -qO- http://web/', /bad address/, 1),
      line("docker network inspect -f '{{range .Containers}}{{.Name}}{{end}}' lan", /^web$/),
      line('docker network rm lan', /has active endpoints/, 1),
      line('docker rm -f web && docker network rm lan', /^web\nlan$/),
    ],
  },
  {
    title: 'a port on the host',
    lines: [
      line('docker run -d --name web -p 8080:80 busybox sh -c "echo hi > /index.html; httpd -f -h /"'),
      line('docker port web', /^80\/tcp -> 0\.0\.0\.0:8080$/m),
      line('docker exec web true && wget -qO- localhost:8080', /^hi$/),
      line('docker ps --format "{{.Ports}}"', /0\.0\.0\.0:8080->80\/tcp/),
      line(
        'docker run --name second -p 8080:80 busybox true',
        /Bind for 0\.0\.0\.0:8080 failed: port is already/,
        125,
      ),
      line('docker rm second; docker rm -f web', /web$/),
      line(
        'wget -qO- localhost:8080',
        /^wget: can't connect to remote host \(127\.0\.0\.1\): Connection refused$/,
        1,
      ),
    ],
  },
  {
    title: 'two networks apart, then joined',
    lines: [
      line(
        'docker network create front > /dev/null; docker network create --subnet 10.9.0.0/24 back',
        /^[0-9a-f]{64}$/,
      ),
      line(
        'docker run -d --name db --network back --network-alias store busybox sh -c "echo rows > /index.html; httpd -f -h /"',
      ),
      line('docker run -d --name api --network front busybox sleep 1000'),
      line('docker exec api wget -qO- http://store/', /bad address/, 1),
      line('docker network connect back api && docker exec api wget -qO- http://store/', /^rows$/),
      line("docker inspect -f '{{.NetworkSettings.Networks.back.IPAddress}}' db", /^10\.9\.0\.2$/),
      line('docker network disconnect back api && docker exec api wget -qO- http://store/', /bad address/, 1),
      line('docker rm -f db api; docker network prune -f', /^db\napi\nDeleted Networks:\nback\nfront$/),
    ],
  },
  {
    title: 'by address on the default bridge, and none at all',
    lines: [
      line('docker run -d --name web busybox sh -c "echo bridged > /index.html; httpd -f -h /"'),
      line("IP=$(docker inspect -f '{{.NetworkSettings.IPAddress}}' web); echo $IP", /^172\.17\.0\.\d+$/),
      line('docker run --rm busybox wget -qO- http://$IP/', /^bridged$/),
      line('docker run --rm --network none busybox wget -qO- http://$IP/', /unreachable/, 1),
      line('docker run --rm --network container:web busybox wget -qO- localhost', /^bridged$/),
      line("docker network ls --format '{{.Name}}'", /^bridge\nhost\nnone$/),
      line('docker rm -f web', /^web$/),
    ],
  },
];
