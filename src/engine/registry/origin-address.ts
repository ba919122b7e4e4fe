import { isLoopback } from './loopback.ts';

/** Where a registry answers: plain http on this machine, https elsewhere; Docker Hub's API has a host of its own. */
export function originAddress(registry: string): string {
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  return `${isOnLoopback(registry) ? 'http' : 'https'}://${registry}`;
}

/** True for a registry on this machine. */
export function isOnLoopback(registry: string): boolean {
  return isLoopback(registry.replace(/:[0-9]+$/, ''));
}
