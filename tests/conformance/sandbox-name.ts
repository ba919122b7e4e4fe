let made = 0;

/** A sandbox name that no other test of this run has. */
export function freshSandbox(what: string): string {
  made += 1;
  return `${what}-${Date.now()}-${crypto.randomUUID()}-${made}`;
}
