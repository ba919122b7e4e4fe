/** Credentials among the sandbox's records, for those that the user asked to keep. */

import { InvalidDocumentError } from '../errors.ts';
import { parseDocument } from '../oci/document.ts';
import type { RecordStore } from '../store/records.ts';
import type { Credential, CredentialKeeper } from './credentials.ts';
import { Secret } from './secret.ts';

const LIMIT = 256 * 1024;

export class RecordedCredentials implements CredentialKeeper {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** Undefined also for a record that cannot be read: the user is asked again. */
  async read(server: string): Promise<Credential | undefined> {
    const record = await this.#records.get('meta', recordID(server));
    if (typeof record?.value !== 'string') return undefined;
    try {
      const root = parseDocument(new TextEncoder().encode(record.value), 'a kept credential', LIMIT);
      const isIdentity = root.required('kind').string() === 'identity';
      return {
        kind: isIdentity ? 'identity' : 'password',
        username: root.required('username').string(),
        secret: new Secret(root.required('secret').string()),
      };
    } catch (error) {
      if (error instanceof InvalidDocumentError) return undefined;
      throw error;
    }
  }

  async write(server: string, { kind, username, secret }: Credential): Promise<void> {
    const value = JSON.stringify({ kind, username, secret: secret.reveal() });
    await this.#records.commit([{ kind: 'meta', put: { id: recordID(server), value } }]);
  }

  async forget(server: string): Promise<void> {
    await this.#records.commit([{ kind: 'meta', delete: recordID(server) }]);
  }
}

function recordID(server: string): string {
  return `credential/${server}`;
}
