/**
 * The command `sansrtc`: looks at traces, answers as an echo peer, connects to one, examines a host.
 *
 * Exit codes: 0 done, 1 it did not work (and why, in words), 2 wrong usage or a file that cannot be used. Errors are one line each.
 */
import { createRequire } from 'node:module';
import { UsageError } from './arguments.ts';
import { connect } from './connect.ts';
import { doctor } from './doctor.ts';
import { serve } from './serve.ts';
import { NODE_TERMINAL, type Terminal } from './terminal.ts';
import { traceCli } from './trace.ts';

const USAGE = `Usage: sansrtc COMMAND [OPTIONS]

  serve            an echo peer that browsers and programs can connect to
  connect URL      connects to an echo peer and prints round-trip times
  doctor           looks at this host: addresses, buffers, STUN, TURN, cryptography
  trace            looks at recorded traces: why, summary, ladder, pcap, replay

  sansrtc COMMAND --help     the options of a command
  sansrtc --version
`;

const COMMANDS: Readonly<
  Record<string, (args: readonly string[], terminal: Terminal) => number | Promise<number>>
> = { serve, connect, doctor, trace: traceCli };

/** Runs one command. @returns the exit code. */
export async function cli(args: readonly string[], terminal: Terminal = NODE_TERMINAL): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--help' || name === '-h') {
    terminal.stdout(USAGE);
    return 0;
  }
  if (name === '--version') {
    const { version } = createRequire(import.meta.url)('sansrtc/package.json') as { version: string };
    terminal.stdout(`${version}\n`);
    return 0;
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const wrong =
      name === undefined
        ? 'expected a command'
        : `unknown ${name.startsWith('-') ? 'option' : 'command'} "${name}"`;
    terminal.stderr(`sansrtc: ${wrong}`);
    terminal.stderr('Try: sansrtc --help');
    return 2;
  }
  try {
    return await command(rest, terminal);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    terminal.stderr(`sansrtc ${name}: ${error.message}`);
    if (!(error instanceof UsageError)) return 1;
    terminal.stderr(`Try: sansrtc ${name} --help`);
    return 2;
  }
}
