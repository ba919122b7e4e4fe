import { expect, it } from 'vitest';
import { deleteContentFiles } from '../../src/storage/content-files.ts';

it('files are opened though everything that nothing refers to is collected meanwhile', async () => {
  const sandbox = `held-${crypto.randomUUID()}`;
  const worker = new Worker(new URL('./held.worker.ts', import.meta.url), { type: 'module' });
  const answer = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  worker.postMessage({ sandbox, count: 60 });
  expect(await answer).toBe(60);
  worker.terminate();
  await deleteContentFiles(sandbox);
});
