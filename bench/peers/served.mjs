/**
 * The inner side of program.mjs: a process whose methods are called over its channel. A request `{ id, method, argument }` is answered
 * by `{ id, result }` or `{ id, error }`; `{ signal }` goes either way, unasked for.
 */

/** Ready from now on. @param onSignal what is done with a signal from outside */
export function serve(methods, onSignal) {
  process.on('message', async ({ id, method, argument, signal: incoming }) => {
    if (incoming !== undefined) {
      onSignal(incoming);
      return;
    }
    try {
      process.send({ id, result: (await methods[method](argument)) ?? null });
    } catch (error) {
      process.send({ id, error: error.message });
    }
  });
  process.on('disconnect', () => process.exit());
  process.send({ ready: true });
}

export function signal(message) {
  if (process.connected) process.send({ signal: message });
}
