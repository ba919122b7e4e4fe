import { describe, expect, it } from 'vitest';
import type { SandboxEvent } from '../../../src/engine/events.ts';
import { afterEvent, fetched, type Pulls } from '../../../src/ui/pulls.ts';

const layers = [
  { digest: 'sha256:a', diffID: 'sha256:1', size: 100 },
  { digest: 'sha256:b', diffID: 'sha256:2', size: 300 },
];
const pull = (status: 'started' | 'runnable' | 'complete' | 'failed', more = {}): SandboxEvent => ({
  type: 'pull',
  reference: 'site:1',
  status,
  ...more,
});
const layer = (
  n: 0 | 1,
  status: 'downloading' | 'exists' | 'complete' | 'waiting' | 'readable',
  bytes = 0,
): SandboxEvent => ({
  type: 'layer',
  reference: 'site:1',
  digest: layers[n]?.digest ?? '',
  diffID: layers[n]?.diffID ?? '',
  status,
  bytes,
  total: layers[n]?.size ?? 0,
});
const replay = (...events: SandboxEvent[]) => events.reduce<Pulls>(afterEvent, {})['site:1'];

describe('a pull', () => {
  it('starts without layers, and gets them with the manifest, base first', () => {
    expect(replay(pull('started'))).toEqual({ reference: 'site:1', status: 'running', layers: [] });
    expect(replay(pull('started'), pull('started', { layers }))?.layers).toMatchObject([
      { diffID: 'sha256:1', status: 'waiting', bytes: 0, total: 100 },
      { diffID: 'sha256:2', status: 'waiting', bytes: 0, total: 300 },
    ]);
  });

  it('keeps what it knows of a layer when the manifest is told later', () => {
    const known = replay(pull('started'), layer(1, 'downloading', 30), pull('started', { layers }));
    expect(known?.layers.map(({ bytes }) => bytes)).toEqual([0, 30]);
  });

  it('knows which layers can be read before they are here, and that the image is in use', () => {
    const early = [
      pull('started', { layers }),
      layer(0, 'complete', 100),
      layer(1, 'readable'),
      pull('runnable'),
    ];
    expect(replay(...early)).toMatchObject({
      status: 'running',
      isRunnable: true,
      layers: [{ status: 'complete' }, { status: 'readable', isReadable: true }],
    });
    expect(replay(...early, layer(1, 'downloading', 10))?.layers[1]).toMatchObject({
      bytes: 10,
      isReadable: true,
    });
    const whole = replay(...early, layer(1, 'complete', 300), pull('complete', { layers }));
    expect(whole).toMatchObject({ status: 'complete' });
    expect(whole?.layers[1]).not.toHaveProperty('isReadable');
    expect(whole).not.toHaveProperty('isRunnable');
  });

  it('tells which file of a layer that is coming could not be read, until the layer is here', () => {
    const unreadable: SandboxEvent = {
      type: 'unreadable',
      digest: 'sha256:b',
      path: '/a',
      message: 'changed',
    };
    const early = [pull('started', { layers }), layer(0, 'complete', 100), layer(1, 'readable'), unreadable];
    expect(replay(...early)?.layers.map(({ trouble }) => trouble)).toEqual([undefined, 'changed']);
    expect(replay(...early, layer(1, 'downloading', 10))?.layers[1]).toMatchObject({ trouble: 'changed' });
    expect(replay(...early, layer(1, 'complete', 300))?.layers[1]).not.toHaveProperty('trouble');
  });

  it('counts the bytes that have to travel', () => {
    const running = replay(pull('started', { layers }), layer(0, 'exists'), layer(1, 'downloading', 75));
    expect(running && fetched(running)).toEqual({ bytes: 75, total: 300 });
  });

  it('keeps its layers and the reason when it fails, and starts over when tried again', () => {
    const failed = [
      pull('started', { layers }),
      layer(1, 'downloading', 75),
      pull('failed', { message: 'gone' }),
    ];
    expect(replay(...failed)).toMatchObject({
      status: 'failed',
      message: 'gone',
      layers: [{}, { bytes: 75 }],
    });
    expect(replay(...failed, pull('started'))).toEqual({
      reference: 'site:1',
      status: 'running',
      layers: [],
    });
  });

  it('leaves other pulls alone', () => {
    const pulls = afterEvent(
      { other: { reference: 'other', status: 'running', layers: [] } },
      pull('started'),
    );
    expect(Object.keys(pulls)).toEqual(['other', 'site:1']);
  });
});
