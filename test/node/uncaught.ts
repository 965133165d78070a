/** Listens to `uncaughtException` in the place of vitest's own handlers, which would fail the run for what is a test's subject. */
export function catchUncaught(): { readonly caught: unknown[]; release(): unknown[] } {
  const others = process.listeners('uncaughtException');
  const caught: unknown[] = [];
  const note = (error: unknown): void => void caught.push(error);
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', note);
  return {
    caught,
    release() {
      process.off('uncaughtException', note);
      for (const listener of others) process.on('uncaughtException', listener);
      return caught;
    },
  };
}
