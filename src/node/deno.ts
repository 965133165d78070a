/** Deno: its dgram is not Node's in what the driver relies on, and a file that it may not read stops the process at a prompt. */

/** Whether this process is Deno's. */
export function isDeno(): boolean {
  return process.versions['deno'] !== undefined;
}
