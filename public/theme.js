// Before the first paint, so that a remembered theme does not flash in the other one. The page itself sets the same
// attribute later (src/ui/theme.svelte.ts).
try {
  const theme = localStorage.getItem('layerbox.theme');
  if (theme === '"light"' || theme === '"dark"') {
    document.documentElement.dataset.theme = theme.slice(1, -1);
  }
} catch {
  // storage is blocked: the system's theme holds
}
