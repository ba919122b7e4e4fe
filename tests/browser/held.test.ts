import { expect, it } from 'vitest';

it('files are opened though everything that nothing refers to is collected meanwhile', async () => {
  const worker = new Worker(new URL('./held.worker.ts', import.meta.url), { type: 'module' });
  const answer = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
  worker.postMessage({ name: `held-${crypto.randomUUID()}`, count: 20 });
  expect(await answer).toBe(20);
  worker.terminate();
});
