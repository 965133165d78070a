/** All checks, for runtimes that are commands; prints one line of JSON. `core` alone leaves out what needs sockets. */
import { checkCore } from './core.mjs';

const report = await checkCore();
if (globalThis.process?.argv?.[2] !== 'core') {
  const { checkDriver, checkNodeCrypto } = await import('./driver.mjs');
  report.nodeCrypto = await checkNodeCrypto();
  report.driver = await checkDriver();
}
console.log(JSON.stringify(report));
