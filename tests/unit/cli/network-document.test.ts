import { describe, expect, it } from 'vitest';
import { openSandbox } from '../container/sandbox.ts';

const ADDRESS = '{{(index .IPAM.Config 0).AuxAddress.router}}';

describe('a network in a template', () => {
  it.each([
    ['network', 'inspect', '-f', ADDRESS, 'own'],
    ['inspect', '-f', ADDRESS, 'own'],
    ['inspect', '--type', 'network', '-f', ADDRESS, 'own'],
  ])('has its auxiliary addresses by the name of the field: %s %s', async (...argv) => {
    const { docker } = await openSandbox();
    await docker('network create --subnet 10.9.0.0/24 --aux-address router=10.9.0.128 own');
    expect(await docker(argv)).toEqual({ code: 0, out: '10.9.0.128\n', err: '' });
  });
});
