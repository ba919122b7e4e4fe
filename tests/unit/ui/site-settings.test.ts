import { describe, expect, it } from 'vitest';
import { parseSiteSettings, readSiteSettings } from '../../../src/ui/site-settings.ts';

const page = 'https://school.example/course/';
const url = `${page}sandbox.json`;

describe('sandbox.json', () => {
  it.each<[string, string, string | readonly string[], readonly string[]]>([
    ['beside the page', 'docker.io', 'layout:images/', [`layout:${page}images/`]],
    ['beside the page, with a dot', 'docker.io', 'layout:./images/', [`layout:${page}images/`]],
    ['elsewhere on the server', 'docker.io', 'layout:/images/', ['layout:https://school.example/images/']],
    ['on another server', 'ghcr.io/org', 'layout:https://cdn.example/x/', ['layout:https://cdn.example/x/']],
    ['a registry', 'docker.io', 'https://mirror.example', ['https://mirror.example/']],
    [
      'several',
      'docker.io',
      ['layout:a/', 'https://b.example/v2'],
      [`layout:${page}a/`, 'https://b.example/v2'],
    ],
  ])('names a mirror %s', (_, name, value, places) => {
    const text = JSON.stringify({ mirrors: { [name]: value } });
    expect(parseSiteSettings(text, url)).toEqual({ mirrors: { [name]: places } });
  });

  it('sets the memory', () => {
    expect(parseSiteSettings('{"memory": 128}', url)).toEqual({ memory: 128 });
  });

  it.each([
    ['{', /sandbox\.json, can't be used: .*JSON/],
    ['[]', /it must be an object/],
    ['null', /it must be an object/],
    ['{"mirror": {}}', /"mirror" is no setting: there are "mirrors" and "memory"/],
    ['{"memory": "64"}', /"memory" must be a number of MB/],
    ['{"mirrors": ["x"]}', /"mirrors" must be an object/],
    ['{"mirrors": {"docker.io": 1}}', /the mirror 1 for "docker.io" is no place/],
    ['{"mirrors": {"docker.io": "layout:"}}', /the mirror "layout:" for "docker.io" is no place/],
    ['{"mirrors": {"docker.io": ["https://[/"]}}', /the mirror "https:\/\/\[\/" for "docker.io" is no place/],
  ])('%s is refused', (text, message) => {
    expect(() => parseSiteSettings(text, url)).toThrow(message);
  });

  const answering = (response: () => Response) => {
    const asked: string[] = [];
    const fetch = async (address: string | URL | Request) => {
      asked.push(String(address));
      return response();
    };
    return { asked, settings: readSiteSettings(`${page}index.html#/storage`, fetch) };
  };

  it('is asked for beside the page', async () => {
    const { asked, settings } = answering(() => new Response('{"memory": 96}'));
    await expect(settings).resolves.toEqual({ memory: 96 });
    expect(asked).toEqual([url]);
  });

  it.each([
    ['404', () => new Response('', { status: 404 })],
    ['403, as some hosts answer for what they do not have', () => new Response('', { status: 403 })],
    ['a page in its place', () => new Response('<!doctype html><title>Home</title>')],
  ])('may be missing: %s', async (_, response) => {
    await expect(answering(response).settings).resolves.toEqual({});
  });

  it('that the server fails to send is no sandbox without settings', async () => {
    const { settings } = answering(() => new Response('', { status: 500 }));
    await expect(settings).rejects.toThrow('the server answered 500');
  });
});
