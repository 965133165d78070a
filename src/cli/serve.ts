/** The command `sansrtc serve`: an echo peer, until Ctrl-C. */
import { announcedAddress, ipAddress, noPositionals, parseOptions, port, wholeNumber } from './arguments.ts';
import { EchoPeer } from './echo-peer.ts';
import type { Terminal } from './terminal.ts';
import { plural } from './words.ts';

const USAGE = `Usage: sansrtc serve [OPTIONS]

An echo peer: it sends back every message of every data channel. Connect with a browser (open the page that it prints), with
"sansrtc connect URL", or with a client of yours that speaks WHIP: POST an SDP offer to /echo, the answer comes back with 201.

  --host ADDRESS      where to listen, for HTTP and for UDP (default 127.0.0.1: this host alone; 0.0.0.0: every interface)
  --port PORT         for HTTP (default 8080; 0: any free one)
  --udp-port PORT     for media and data (default 0: any free one)
  --tcp-port PORT     also take ICE over TCP here (default: not)
  --announce ADDRESS  tell peers this address in place of our own; ADDRESS or ADDRESS:PORT, may be given several times
  --max-sessions N    refuse further ones with 503 (default 64)
  --cors ORIGIN       let pages of this origin connect; * for all (default: our own page alone)
  --trace FILE        record each session, to FILE-1.jsonl, FILE-2.jsonl …; the files hold the keys of the sessions
  -h, --help          this text

Ctrl-C ends it: every peer is told. Exit codes: 0 ended by Ctrl-C, 1 it could not listen, 2 wrong usage.
`;

/** Listens until it is interrupted. @returns the exit code. */
export async function serve(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    host: { type: 'string' },
    port: { type: 'string' },
    'udp-port': { type: 'string' },
    'tcp-port': { type: 'string' },
    announce: { type: 'string', multiple: true },
    'max-sessions': { type: 'string' },
    cors: { type: 'string' },
    trace: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) {
    terminal.stdout(USAGE);
    return 0;
  }
  noPositionals(positionals);
  const { trace: traceFile } = values;
  const traceName = (session: number): string =>
    `${traceFile?.replace(/\.jsonl$/, '') ?? ''}-${session}.jsonl`;
  const log = (line: string): void => terminal.stdout(`${clock()} ${line}\n`);
  const peer = await EchoPeer.listen({
    host: ipAddress('host', values.host ?? '127.0.0.1'),
    port: port('port', values.port, 8080),
    udpPort: port('udp-port', values['udp-port'], 0),
    tcpPort: values['tcp-port'] === undefined ? undefined : port('tcp-port', values['tcp-port'], 0),
    announce: (values.announce ?? []).map((text) => announcedAddress('announce', text)),
    maxSessions: wholeNumber('max-sessions', values['max-sessions'], 64, 1, 100_000),
    cors: values.cors,
    trace:
      traceFile === undefined
        ? undefined
        : (session) => {
            log(`#${session} is recorded to ${traceName(session)}`);
            return terminal.create(traceName(session));
          },
    log,
    warn: (line) => terminal.stderr(`warning: ${line}`),
  });
  terminal.stdout(
    [
      `page         ${peer.url}`,
      `signalling   POST ${peer.url}echo`,
      `peers reach  ${peer.offered.join(', ') || 'no address: nobody can connect'}`,
      'Ctrl-C ends it.',
      '',
    ].join('\n'),
  );
  await new Promise<void>((resolve) => {
    const stop = terminal.onInterrupt(() => {
      stop(); // a second Ctrl-C does not wait
      resolve();
    });
  });
  log(peer.size === 0 ? 'stopping' : `stopping; telling ${plural(peer.size, 'peer')}`);
  await peer.close();
  return 0;
}

/** The time of day, as a log wants it. */
function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}
