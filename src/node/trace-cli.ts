/**
 * The command `sansrtc-trace`: looks at recorded traces, draws them, replays them.
 *
 * Exit codes: 0 done, 1 the replay diverged, 2 wrong usage or a file that cannot be used. Errors are one line each.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { RtcError } from '../core/errors.ts';
import type { Trace } from '../trace/index.ts';
import { describeTrace, ladderSvg, parseTrace, pcapng, replay } from '../trace/index.ts';

const USAGE = `Usage: sansrtc-trace COMMAND FILE [FILE] [-o OUT]

  summary FILE           what happened, one line each
  replay FILE            does it again and compares every output
  ladder FILE [FILE]     the packet ladder as SVG; with the traces of both ends, losses show
  pcap FILE [FILE]       a pcapng file for Wireshark

  -o, --output OUT       where to write; default: standard output
  -h, --help             this text

FILE is a trace in JSON lines, as sansrtc/trace writes it.
`;

/** Where a command writes to, and what it reads: Node's own, unless a test looks on. */
export interface TraceCliHost {
  readonly read: (file: string) => string;
  readonly write: (file: string, data: string | Uint8Array) => void;
  readonly stdout: (data: string | Uint8Array) => void;
  readonly stderr: (line: string) => void;
}

const NODE: TraceCliHost = {
  read: (file) => readFileSync(file, 'utf8'),
  write: (file, data) => writeFileSync(file, data),
  stdout: (data) => void process.stdout.write(data),
  stderr: (line) => void process.stderr.write(`${line}\n`),
};

/** Wrong usage, told in one line. */
class UsageError extends Error {}

/** Runs one command. @returns the exit code. */
export function traceCli(args: readonly string[], host: TraceCliHost = NODE): number {
  try {
    return run(args, host);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    host.stderr(`sansrtc-trace: ${error.message}`);
    if (error instanceof UsageError) host.stderr('Try: sansrtc-trace --help');
    return 2;
  }
}

function run(args: readonly string[], host: TraceCliHost): number {
  const { values, positionals } = parse(args);
  if (values.help === true) {
    host.stdout(USAGE);
    return 0;
  }
  const [command, ...files] = positionals;
  const put = (data: string | Uint8Array): void => {
    if (values.output === undefined) host.stdout(data);
    else host.write(values.output, data);
  };
  switch (command) {
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

function parse(args: readonly string[]): {
  values: { output?: string | undefined; help?: boolean | undefined };
  positionals: string[];
} {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { output: { type: 'string', short: 'o' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function one(files: readonly string[], host: TraceCliHost): Trace {
  const [file] = files;
  if (file === undefined || files.length > 1) throw new UsageError(`expected one file, got ${files.length}`);
  return load(file, host);
}

function oneOrTwo(files: readonly string[], host: TraceCliHost): Trace | readonly [Trace, Trace] {
  const [first, second] = files;
  if (first === undefined || files.length > 2)
    throw new UsageError(`expected one or two files, got ${files.length}`);
  return second === undefined ? load(first, host) : [load(first, host), load(second, host)];
}

function load(file: string, host: TraceCliHost): Trace {
  try {
    return parseTrace(host.read(file));
  } catch (error) {
    if (error instanceof RtcError) throw new RtcError(error.code, `${file}: ${error.message}`);
    throw error;
  }
}
