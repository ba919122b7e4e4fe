/**
 * The sandbox as Docker's daemon would answer for it. The answers are made of what `docker inspect` of ours says, so that
 * the client prints the same things that our commands print; what cannot be done is said in moby's words (daemon-words.ts).
 */

import type { TestSandbox } from '../unit/container/sandbox.ts';
import { isMissing, type Kind } from './daemon-words.ts';
import { ApiError } from './engine-api.ts';

export type Document = Readonly<Record<string, unknown>>;

export class Daemon {
  readonly sandbox: TestSandbox;

  constructor(sandbox: TestSandbox) {
    this.sandbox = sandbox;
  }

  /** What our command prints; what it says of a failure is an error of the API. */
  async docker(...argv: readonly string[]): Promise<string> {
    const { code, out, err } = await this.sandbox.docker(argv);
    if (code === 0) return out;
    const message = err
      .replace(/\n\nRun '.*/s, '')
      .replace(/^docker: /, '')
      .replace('Error response from daemon: ', '')
      .replace(/\nexit status 1\n$/, '')
      .trim();
    throw new ApiError(/^conflict/i.test(message) ? 409 : 500, message);
  }

  async lines(...argv: readonly string[]): Promise<readonly string[]> {
    return (await this.docker(...argv)).split('\n').filter((line) => line !== '');
  }

  /** Rows of a list, as `--format json` has them. */
  async rows(...argv: readonly string[]): Promise<readonly Readonly<Record<string, string>>[]> {
    return (await this.lines(...argv, '--format', 'json')).map((line) => JSON.parse(line));
  }

  /** The document; ApiError in moby's words when there is none. */
  async inspect(kind: Kind, name: string, sized = false): Promise<Document> {
    const argv = ['inspect', ...(sized ? ['-s'] : []), '--type', kind, name];
    const [document] = JSON.parse((await this.sandbox.docker(argv)).out);
    if (document === undefined) throw isMissing(kind, name);
    return document;
  }

  /** The whole ID, or the name of a volume. */
  async idOf(kind: Kind, name: string): Promise<string> {
    const { Id, Name } = await this.inspect(kind, name);
    return String(Id ?? Name);
  }
}

/** The flags for what the client sends as `filters`. */
export function filterFlags(query: URLSearchParams): readonly string[] {
  const filters: Record<string, Record<string, boolean>> = JSON.parse(query.get('filters') ?? '{}');
  return Object.entries(filters).flatMap(([name, values]) =>
    Object.keys(values).flatMap((value) => ['--filter', `${name}=${value}`]),
  );
}

/** The bytes that `6.5kB` stands for: exact, as what is here is small. */
export function bytesOf(text: string): number {
  const [, number = '0', unit = 'B'] = /^([\d.]+)(\w+)/.exec(text) ?? [];
  return Math.round(Number(number) * 1000 ** ['B', 'kB', 'MB', 'GB'].indexOf(unit));
}

export function fields(value: unknown): Document {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export function seconds(timestamp: unknown): number {
  return Math.trunc(Date.parse(String(timestamp)) / 1000);
}
