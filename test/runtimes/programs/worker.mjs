/** The core's checks in a module worker of a page. */
import { checkCore } from './core.mjs';

globalThis.postMessage(await checkCore());
