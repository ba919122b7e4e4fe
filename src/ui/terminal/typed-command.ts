/** Commands that a button types into the terminal, for the reader to see and to run. */

/** A word as the host's shell reads it back unchanged. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * The line of a docker command. Undefined when a word holds a control character: typed, that could run the line or
 * do something else than what is seen.
 */
export function typedCommand(...words: readonly string[]): string | undefined {
  const line = ['docker', ...words.map(shellWord)].join(' ');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(line) || !line.isWellFormed() ? undefined : line;
}
