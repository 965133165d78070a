/** What the commands in bin/ run. No entry point of the package. */
export { cli } from './cli.ts';
export { traceCli } from './trace.ts';
