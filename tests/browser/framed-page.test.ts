/** What a container serves, made a page that stands by itself: each thing that is taken out of it, and its bounds. */

import { describe, expect, it } from 'vitest';
import { type Fetched, framedPage, framePolicy } from '../../src/ui/ports/framed-page.ts';

const URL_OF_PAGE = new URL('http://localhost:8080/docs/');
const LINK_SCRIPT = 'https://layerbox.test/ports/links.js';
const EVIL = 'http://evil.test/';

type File = readonly [type: string, content: string | number];

/** The page of this HTML, over a port that has these files; a number is a file of so many bytes. */
async function framed(html: string, files: Readonly<Record<string, File>> = {}) {
  const asked: string[] = [];
  const get = async (url: URL): Promise<Fetched | undefined> => {
    asked.push(url.href);
    const [type, content] = files[url.pathname] ?? [];
    if (type === undefined || content === undefined) return undefined;
    const bytes = typeof content === 'number' ? new Uint8Array(content) : new TextEncoder().encode(content);
    return { type, charset: '', bytes };
  };
  const text = await framedPage(html, { url: URL_OF_PAGE, get, linkScript: LINK_SCRIPT });
  const page = new DOMParser().parseFromString(text, 'text/html');
  return { text, page, asked, style: page.querySelector('style')?.textContent?.trim() };
}

const IMAGE: File = ['image/png', 'dot'];
const IMAGE_URL = `data:image/png;base64,${btoa('dot')}`;

describe('a page of a port', () => {
  it('says first of all what it may do, which is nothing but its own styles, images and the script of links', async () => {
    const { page, text } = await framed('<title>A<b></title><h1>Hi</h1>');
    expect(text).toMatch(/^<!DOCTYPE html>\n/);
    expect([...page.head.children].map((each) => each.outerHTML).slice(0, 3)).toEqual([
      '<meta charset="utf-8">',
      `<meta http-equiv="Content-Security-Policy" content="${framePolicy(LINK_SCRIPT)}">`,
      '<meta name="referrer" content="no-referrer">',
    ]);
    expect(framePolicy(LINK_SCRIPT).split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${LINK_SCRIPT}`,
      "style-src 'unsafe-inline'",
      'img-src data:',
      "form-action 'none'",
      "base-uri 'none'",
    ]);
    expect([...page.scripts].map(({ src }) => src)).toEqual([LINK_SCRIPT]);
    expect([page.title, page.body.innerHTML]).toEqual(['A<b>', '<h1>Hi</h1>']);
  });

  it.each([
    ['script', '<script>ran()</script>'],
    ['svg script', `<svg><script href="${EVIL}"></script></svg>`],
    ['noscript', `<noscript><img src="${EVIL}"></noscript>`],
    ['noembed', `<noembed><img src="${EVIL}"></noembed>`],
    ['noframes', `<noframes><img src="${EVIL}"></noframes>`],
    ['xmp', `<xmp><img src="${EVIL}"></xmp>`],
    ['plaintext', `<plaintext><img src="${EVIL}">`],
    ['iframe', `<iframe src="${EVIL}"></iframe>`],
    ['object', `<object data="${EVIL}"></object>`],
    ['embed', `<embed src="${EVIL}">`],
    ['applet', `<applet code="${EVIL}"></applet>`],
    ['portal', `<portal src="${EVIL}"></portal>`],
    ['fencedframe', `<fencedframe src="${EVIL}"></fencedframe>`],
    ['base', `<base href="${EVIL}">`],
    ['meta[http-equiv="refresh" i]', `<meta http-equiv="refresh" content="0;url=${EVIL}">`],
    ['link', `<link rel="preload" href="${EVIL}">`],
    ['template', `<template><img src="${EVIL}"></template>`],
    ['audio', `<audio src="${EVIL}"></audio>`],
    ['video', `<video poster="${EVIL}"><source src="${EVIL}"><track src="${EVIL}"></video>`],
    ['input', `<form action="${EVIL}"><input type="image" src="${EVIL}"></form>`],
  ])('has no %s', async (selector, html) => {
    const { page, text, asked } = await framed(`<body>before${html}`);
    expect(page.body.querySelectorAll(selector)).toHaveLength(0);
    expect(text).not.toContain('evil.test');
    expect(page.body.textContent).toContain('before');
    expect(asked).toEqual([]);
  });

  it('is no frameset', async () => {
    const { page, text } = await framed(`<frameset><frame src="${EVIL}"></frameset>`);
    expect(page.querySelector('frameset, frame')).toBeNull();
    expect(text).not.toContain('evil.test');
  });

  it.each([
    ...['onclick', 'onload', 'ONERROR', 'onwhatever', 'href', 'xlink:href', 'other:href', 'src', 'srcset'],
    ...['imagesrcset', 'action', 'formaction', 'ping', 'poster', 'background', 'data', 'cite', 'longdesc'],
    ...['manifest', 'codebase', 'classid', 'archive', 'profile', 'usemap', 'attributionsrc', 'target'],
    ...['http-equiv', 'srcdoc', 'nonce', 'sizes', 'data-layerbox-href'],
  ])('keeps no attribute %s', async (name) => {
    const { page, text } = await framed(
      `<p ${name}="${EVIL}">one</p><svg><image ${name}="${EVIL}"/></svg><form ${name}="${EVIL}"></form>`,
    );
    expect(text).not.toContain('evil.test');
    expect(page.querySelector('p')?.getAttributeNames()).toEqual([]);
  });

  it('tells of its links where they lead from its base, and leads nowhere by itself', async () => {
    const { page } = await framed(
      `<base href="/other/"><a href="next?a=1#b">n</a><a href="#top">t</a><a href="javascript:ran()">j</a>
       <a href="${EVIL}">e</a><map><area href="x"></map><svg><a xlink:href="y"><text>s</text></a></svg><a>none</a>`,
    );
    const links = [...page.querySelectorAll('a, area')].map((each) => [
      each.getAttribute('href'),
      each.getAttribute('data-layerbox-href'),
    ]);
    expect(links).toEqual([
      ['#', 'http://localhost:8080/other/next?a=1#b'],
      ['#top', null],
      ['#', 'javascript:ran()'],
      ['#', EVIL],
      ['#', 'http://localhost:8080/other/x'],
      ['#', 'http://localhost:8080/other/y'],
      [null, null],
    ]);
  });

  it('has the images of its port inside, each asked for once, and no others', async () => {
    const files = { '/docs/a.png': IMAGE, '/page': ['text/html', '<p>'] } as const;
    const sources = ['a.png', './a.png', '/page', '/none', `${EVIL}a.png`, 'http://localhost:8081/a.png'];
    const inside = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';
    const { page, asked } = await framed(
      [...sources, inside, 'data:text/html,x'].map((src) => `<img src="${src}">`).join(''),
      files,
    );
    expect([...page.images].map((each) => each.getAttribute('src'))).toEqual([
      ...[IMAGE_URL, IMAGE_URL],
      ...[null, null, null, null],
      ...[inside, null],
    ]);
    const port = 'http://localhost:8080';
    expect(asked).toEqual([`${port}/docs/a.png`, `${port}/page`, `${port}/none`]);
  });

  it('has its styles in one, in their order, with what they import and show', async () => {
    const { page, style, asked } = await framed(
      `<link rel="stylesheet" href="a.css"><style media="print">p { color: red }</style>
       <style media="x{} @import">q { color: red }</style><link rel="stylesheet" href="wrong.css">
       <link rel="alternate STYLESHEET" href="${EVIL}b.css"><p style="background: url(a.png)">one</p>`,
      {
        '/docs/a.css': ['text/css', '@import "in/b.css"; @import url(/docs/a.css); a { top: 0 }'],
        '/docs/in/b.css': ['text/css', `b { background: url( 'c.png' ), url(${EVIL}d.png), url(#e) }`],
        '/docs/in/c.png': IMAGE,
        '/docs/a.png': IMAGE,
        '/docs/wrong.css': ['text/html', 'wrong { top: 0 }'],
      },
    );
    expect(style?.split('\n').map((each) => each.trim())).toEqual([
      `b { background: url("${IMAGE_URL}"), url("data:,"), url("#e") }`,
      '',
      'a { top: 0 }',
      '@media print {',
      'p { color: red }',
      '}',
      'q { color: red }',
    ]);
    expect(page.querySelector('p')?.getAttribute('style')).toBe(`background: url("${IMAGE_URL}")`);
    expect(page.querySelectorAll('style, link')).toHaveLength(1);
    expect(asked.filter((url) => url.includes('evil') || url.endsWith('a.css'))).toEqual([
      'http://localhost:8080/docs/a.css',
    ]);
  });

  it('does not leave its style sheet by what is in it', async () => {
    const { page, style } = await framed('<link rel=stylesheet href=a.css><p>one</p>', {
      '/docs/a.css': ['text/css', 'a::after { content: "</style><img src=x onerror=ran()></STYLE >" }'],
    });
    expect(page.images).toHaveLength(0);
    expect(style).toContain('<img src=x');
    expect(page.body.innerHTML).toBe('<p>one</p>');
  });
});

describe('the bounds of a page', () => {
  const images = (count: number) =>
    Array.from({ length: count }, (_, number) => `<img src="/${number}.png">`).join('');
  const shown = (page: Document) => [...page.images].map((each) => each.hasAttribute('src'));

  it('are a hundred styles and images', async () => {
    const files = Object.fromEntries(Array.from({ length: 110 }, (_, number) => [`/${number}.png`, IMAGE]));
    const { page, asked } = await framed(`<link rel=stylesheet href=a.css>${images(110)}`, files);
    expect(asked).toHaveLength(100);
    expect(shown(page)).toEqual(Array.from({ length: 110 }, (_, number) => number < 99));
  });

  it.each([
    [0, [true, true], 4],
    [1, [true, false], 3],
    [2, [false, false], 2],
  ])(
    'are 16 MiB of them, and nothing is asked for beyond: with %i bytes more',
    async (more, wanted, count) => {
      const files = {
        '/docs/a.css': ['text/plain', 16 * 1024 * 1024 - 2 + more],
        '/0.png': ['image/png', 1],
        '/1.png': ['image/png', 1],
      } as const;
      const { page, asked } = await framed(
        `<link rel=stylesheet href=a.css>${images(2)}<img src=/2.png>`,
        files,
      );
      expect(shown(page)).toEqual([...wanted, false]);
      expect(asked).toHaveLength(count);
    },
  );
});
