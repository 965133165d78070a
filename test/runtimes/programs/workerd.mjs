/** The core's checks in Cloudflare's workerd, one run a request. */
import { checkCore } from './core.mjs';

export default {
  async fetch() {
    return globalThis.Response.json(await checkCore());
  },
};
