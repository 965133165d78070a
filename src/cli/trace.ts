/**
 * The command `sansrtc trace`, also known as `sansrtc-trace`: looks at recorded traces, draws them, replays them.
 *
 * Exit codes: 0 done, 1 the replay diverged, 2 wrong usage or a file that cannot be used. Errors are one line each.
 */
import { RtcError } from '../core/errors.ts';
import type { Trace } from '../trace/index.ts';
import { describeTrace, ladderSvg, parseTrace, pcapng, replay } from '../trace/index.ts';
import { parseOptions, UsageError } from './arguments.ts';
import { explainTrace } from './why.ts';
import { NODE_TERMINAL, type Terminal } from './terminal.ts';

/** What of a terminal these commands use. */
export type TraceTerminal = Pick<Terminal, 'read' | 'write' | 'stdout' | 'stderr'>;

const usage = (program: string): string => `Usage: ${program} COMMAND FILE [FILE] [-o OUT]

  why FILE               how far the connection got, what ended it, and what to try
  summary FILE           what happened, one line each
  replay FILE            does it again and compares every output
  ladder FILE [FILE]     the packet ladder as SVG; with the traces of both ends, losses show
  pcap FILE [FILE]       a pcapng file for Wireshark

  -o, --output OUT       where to write; default: standard output
  -h, --help             this text

FILE is a trace in JSON lines, as sansrtc/trace writes it.
`;

/** Runs one command. @param program what it was called as. @returns the exit code. */
export function traceCli(
  args: readonly string[],
  host: TraceTerminal = NODE_TERMINAL,
  program = 'sansrtc trace',
): number {
  try {
    return run(args, host, program);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    host.stderr(`${program}: ${error.message}`);
    if (error instanceof UsageError) host.stderr(`Try: ${program} --help`);
    return 2;
  }
}

function run(args: readonly string[], host: TraceTerminal, program: string): number {
  const { values, positionals } = parseOptions(args, {
    output: { type: 'string', short: 'o' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) {
    host.stdout(usage(program));
    return 0;
  }
  const [command, ...files] = positionals;
  const put = (data: string | Uint8Array): void => {
    if (values.output === undefined) host.stdout(data);
    else host.write(values.output, data);
  };
  switch (command) {
    case 'why':
      put(explainTrace(one(files, host)));
      return 0;
    case 'summary':
      put(describeTrace(one(files, host)));
      return 0;
    case 'ladder':
      put(ladderSvg(oneOrTwo(files, host)));
      return 0;
    case 'pcap':
      put(pcapng(oneOrTwo(files, host)));
      return 0;
    case 'replay': {
      const outcome = replay(one(files, host));
      put(
        outcome.identical
          ? `identical: ${outcome.outputs} outputs\n`
          : `diverged at ${outcome.divergence.message}\n`,
      );
      return outcome.identical ? 0 : 1;
    }
    case undefined:
      throw new UsageError('expected a command');
    default:
      throw new UsageError(`unknown command "${command}"`);
  }
}

function one(files: readonly string[], host: TraceTerminal): Trace {
  const [file] = files;
  if (file === undefined || files.length > 1) throw new UsageError(`expected one file, got ${files.length}`);
  return load(file, host);
}

function oneOrTwo(files: readonly string[], host: TraceTerminal): Trace | readonly [Trace, Trace] {
  const [first, second] = files;
  if (first === undefined || files.length > 2)
    throw new UsageError(`expected one or two files, got ${files.length}`);
  return second === undefined ? load(first, host) : [load(first, host), load(second, host)];
}

/** Characters of a file that takes seconds to read. */
const WORTH_A_WORD = 20_000_000;

function load(file: string, host: TraceTerminal): Trace {
  try {
    const text = host.read(file);
    if (text.length > WORTH_A_WORD) host.stderr(`reading ${file}, ${(text.length / 1e6).toFixed(0)} MB …`);
    return parseTrace(text);
  } catch (error) {
    if (error instanceof RtcError) throw new RtcError(error.code, `${file}: ${error.message}`);
    throw error;
  }
}
