/** Headers, names and answers as registries and programs write them. */

const json = (value: unknown) => JSON.stringify(value);
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

type Texts = Readonly<Record<string, string>>;

export const references: Texts = {
  name: 'busybox',
  tag: 'a/b:tag',
  port: 'localhost:5000/x/y:t',
  digest: `ghcr.io/o/n@${digest}`,
  ipv6: '[::1]:5000/a',
  'tag-and-digest': `a:b@${digest}`,
  'refused-capitals': 'Busybox',
};

export const digests: Texts = {
  sha256: digest,
  sha512: `sha512:${'0123456789abcdef'.repeat(8)}`,
  'refused-md5': `md5:${'0'.repeat(32)}`,
};

export const challenges: Texts = {
  bearer: 'Bearer realm="https://a/t",service="s",scope="r:a:pull,push"',
  two: 'Basic realm="x", Bearer realm="\\"q"',
  others: 'Negotiate abc==, Digest a=b',
  insufficient:
    'Bearer realm="https://auth.example/token",service="registry",scope="repository:app:pull",error="insufficient_scope"',
};

export const links: Texts = {
  next: '</v2/_catalog?last=b&n=2>; rel="next"',
  several: '<https://registry.example/x>; rel=next, <y>; rel="prev next"; title="a\\"b"',
};

export const waits: Texts = { seconds: '120', date: 'Wed, 21 Oct 2015 07:28:00 GMT' };

export const embedded: Texts = {
  object: 'e30=',
  text: btoa('some bytes, in base64'),
  'refused-unpadded': 'e30',
};

export const templates: Texts = {
  range: '{{range $i, $e := .a.b}}{{if $i}},{{else if eq $i 0}}{{- $e | printf "%-5v" -}}{{end}}{{end}}',
  define: '{{define "T"}}{{.}}{{end}}{{template "T" .c}}{{with index .a.b 1}}{{.}}{{end}}{{/* c */}}',
  functions: '{{printf "%5.2f %x %q" 1.5 .c `r`}}{{json .}}{{slice .c 0 1}}{{and (not .a) 1}}',
};

export const tokens: Texts = {
  docker: json({
    token: 'eyJhbGciOi.J9.x',
    access_token: 'eyJhbGciOi.J9.x',
    expires_in: 300,
    issued_at: '2020-01-01T00:00:00Z',
  }),
  oauth: json({ access_token: 'abc', refresh_token: 'def', expires_in: 60, scope: 'repository:app:pull' }),
  'refused-empty': json({ token: '' }),
};

const answer = (head: readonly string[], body: string) => `${head.join('\r\n')}\r\n\r\n${body}`;
const refusal = (code: string, message: string) =>
  json({ errors: [{ code, message, detail: { name: 'app' } }] });

/** As recorded-answers.ts records them: what was asked for, and the answer. */
export const answers: Texts = {
  'refused-unauthorized': answer(
    [
      'manifest HTTP/1.1 401 Unauthorized',
      `WWW-Authenticate: ${challenges.bearer}`,
      'Content-Type: application/json',
    ],
    refusal('UNAUTHORIZED', 'authentication required'),
  ),
  'refused-busy': answer(
    ['manifest HTTP/1.1 429 Too Many Requests', 'Retry-After: 3'],
    refusal('TOOMANYREQUESTS', 'slow down'),
  ),
  'refused-denied': answer(
    ['manifest HTTP/1.1 403 Forbidden'],
    refusal('DENIED', 'requested access to the resource is denied'),
  ),
};

export const layouts: Texts = {
  names: json({
    schemaVersion: 2,
    manifests: ['busybox:1', 'docker.io/library/busybox:2', 'library/busybox', 'x y'].map((name) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest,
      size: 7,
      annotations: {
        'org.opencontainers.image.ref.name': name,
        'org.opencontainers.image.description': 'small',
      },
    })),
  }),
};

export const userFiles: Texts = {
  debian:
    'root:x:0:0:root:/root:/bin/bash\napp:x:1000:1000:,,,:/home/app:/bin/sh\n\nroot:x:0:\nstaff:x:50:app,www\napp:x:1000:',
  'refused-nobody': 'root:x:0:0:root:/root:/bin/sh\n\nroot:x:0:',
};
