/** True for a host, without its port, that is this machine: what is said to it without TLS stays here. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}
