// The groups that a newcomer wants are open until somebody folds them.
try {
  for (const group of ['Start', 'Guides']) {
    const key = `tsd-accordion-${group}`;
    if (globalThis.localStorage.getItem(key) === null) globalThis.localStorage.setItem(key, 'true');
  }
} catch {
  // No storage: they are closed.
}
