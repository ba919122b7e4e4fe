import { LayerboxError } from '../../errors.ts';
import { printableName } from '../../names.ts';
import type { FoundRepository } from '../../registry/search.ts';
import type { Command, Flag } from '../command.ts';
import { FILTER_FLAG, invalidFilter, parseFilters } from '../filter.ts';
import { ellipsis } from '../format.ts';
import { printListing, type Row } from '../format-flag.ts';

const HEADERS = { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' };
const FORMAT_FLAG: Flag = { long: 'format', type: 'string', help: 'Pretty-print search using a Go template' };
/** As Docker Hub has it when no limit is given. */
const DEFAULT_LIMIT = 25;
const DESCRIPTION_WIDTH = 45;

export const search: Command = {
  usage: '[OPTIONS] TERM',
  summary: 'Search Docker Hub for images',
  aliases: [],
  flags: [
    FILTER_FLAG,
    FORMAT_FLAG,
    { long: 'limit', type: 'int', help: 'Max number of search results' },
    { long: 'no-trunc', type: 'bool', help: "Don't truncate output" },
  ],
  wordCount: { min: 1, max: 1 },
  run: async ({ words: [text = ''], flags, host, stdio, print }) => {
    const fits = filterOf(flags.list('filter'));
    const limit = flags.int('limit') === 0 ? DEFAULT_LIMIT : flags.int('limit');
    if (limit < 1 || limit > 100)
      throw new LayerboxError(`Limit ${limit} is outside the range of [1, 100]`, { limit });
    const { server, term } = split(text);
    const { repositories, failures } = await host.registries.repositories({ signal: stdio.signal }, server);
    for (const { place, error } of failures) {
      await print.error(`WARNING: ${printableName(place)} was not searched: ${printableName(error.message)}`);
    }
    const found = repositories.filter((repository) => isFound(repository, term) && fits(repository));
    const truncate = !flags.bool('no-trunc');
    await printListing(print, {
      rows: found.slice(0, limit).map((repository) => rowOf(repository, truncate)),
      headers: HEADERS,
      columns: ['Name', 'Description', 'StarCount', 'IsOfficial'],
      format: flags.string('format'),
      type: '*registry.searchContext',
    });
    return failures.length > 0 && repositories.length === 0 ? 1 : 0;
  },
};

/** `localhost:5000/app` is searched for in that registry, all else in the mirrors. */
function split(text: string): { readonly server?: string; readonly term: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const isServer = first === 'localhost' || /[.:]/.test(first);
  if (!isServer || first === 'docker.io') return { term: text.toLowerCase().replace(/^docker\.io\//, '') };
  return { server: first, term: text.slice(slash + 1).toLowerCase() };
}

/** Docker Hub looks through names and descriptions; `library/` is no part of a name. */
function isFound({ name, description }: FoundRepository, term: string): boolean {
  const word = term.replace(/^library\//, '');
  return name.toLowerCase().includes(word) || description.toLowerCase().includes(word);
}

function filterOf(texts: readonly string[]): (repository: FoundRepository) => boolean {
  const filters = parseFilters(texts, ['is-official', 'is-automated', 'stars']);
  const wanted = ['is-official', 'is-automated'].map((name) => {
    const values = filters.get(name) ?? [];
    const unknown = values.find((value) => value !== 'true' && value !== 'false');
    if (unknown !== undefined) throw invalidFilter(name, unknown);
    return values.at(-1);
  });
  const stars = (filters.get('stars') ?? []).map((value) => {
    if (!/^\d{1,9}$/.test(value)) throw invalidFilter('stars', value);
    return Number(value);
  });
  const [official, automated] = wanted;
  return ({ isOfficial }) =>
    (official === undefined || isOfficial === (official === 'true')) &&
    // nothing here is made by Docker Hub's own builds, and nothing has stars
    automated !== 'true' &&
    stars.every((count) => count === 0);
}

function rowOf({ name, description, tags, isOfficial, place }: FoundRepository, truncate: boolean): Row {
  const words = description === '' ? descriptionOf(tags, place) : description.replaceAll(/[\r\n]+/g, ' ');
  return {
    Name: name,
    Description: truncate ? ellipsis(words, DESCRIPTION_WIDTH) : words,
    StarCount: '0',
    IsOfficial: isOfficial ? '[OK]' : '',
  };
}

/** What there is to say where the image does not speak for itself. */
function descriptionOf(tags: readonly string[], place: string): string {
  return tags.length === 0 ? `in ${place}` : `${tags.join(', ')} in ${place}`;
}
