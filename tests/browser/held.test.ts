import { expect, it } from 'vitest';

it('files answer though everything that nothing refers to is collected meanwhile', async () => {
  const worker = new Worker(new URL('./held.worker.ts', import.meta.url), { type: 'module' });
  const answer = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  const count = 20;
  worker.postMessage({ name: `held-${crypto.randomUUID()}`, count });
  const each = ['open', 'create', 'read', 'names', 'remove', 'hold', 'release', 'delete'];
  expect(await answer).toEqual(Object.fromEntries(each.map((what) => [what, count])));
  worker.terminate();
});
