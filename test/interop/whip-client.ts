/**
 * Debian's simple-whip-client: WHIP (RFC 9725) by GStreamer's webrtcbin, with ICE of libnice, DTLS of OpenSSL, SRTP of libsrtp. It
 * publishes a test picture as VP8 and noise as Opus.
 *
 * Debian 12's cannot start as it is: it has libsoup 2 for HTTP, libnice brings libsoup 3 for UPnP, and that one ends every process that
 * has both. So UPnP is taken away from it: a library of four functions that have nothing stands in its place.
 */
import { execFileSync, spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAM = '/usr/bin/whip-client';
const COMPILER = 'cc';

/** `libgupnp-igd`, as far as libnice calls it. */
const NO_UPNP = `
void *gupnp_simple_igd_thread_new(void) { return 0; }
unsigned long gupnp_simple_igd_get_type(void) { return 0; }
void gupnp_simple_igd_add_port(void) {}
void gupnp_simple_igd_remove_port_local(void) {}
`;

const AUDIO = [
  'audiotestsrc is-live=true wave=red-noise',
  'audioconvert ! audioresample ! queue ! opusenc',
  'rtpopuspay pt=100 ssrc=1 ! queue',
  'application/x-rtp,media=audio,encoding-name=OPUS,payload=100',
].join(' ! ');

const VIDEO = [
  'videotestsrc is-live=true pattern=ball',
  'video/x-raw,width=320,height=240,framerate=15/1 ! videoconvert ! queue ! vp8enc deadline=1',
  'rtpvp8pay pt=96 ssrc=2 ! queue',
  'application/x-rtp,media=video,encoding-name=VP8,payload=96',
].join(' ! ');

/** Why it cannot run here; `undefined` when it can. */
export function missingWhipClient(): string | undefined {
  if (!existsSync(PROGRAM)) return `no ${PROGRAM}: apt-get install simple-whip-client`;
  if (spawnSync(COMPILER, ['--version']).status !== 0) return `no ${COMPILER}: apt-get install gcc libc6-dev`;
  return undefined;
}

/** A publisher that runs until it is stopped. */
export class WhipClient {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #folder: string;
  #printed = '';
  #looking: (() => void) | undefined;

  /** @param url of the endpoint; its host is no loopback address, as libnice gathers none */
  static start(url: string, ...options: string[]): WhipClient {
    const folder = mkdtempSync(join(tmpdir(), 'sansrtc-whip-'));
    const source = join(folder, 'no-upnp.c');
    writeFileSync(source, NO_UPNP);
    execFileSync(COMPILER, ['-shared', '-fPIC', '-o', join(folder, 'libgupnp-igd-1.0.so.4'), source]);
    return new WhipClient(url, options, folder);
  }

  private constructor(url: string, options: readonly string[], folder: string) {
    this.#folder = folder;
    const args = ['--disable-colors', '--url', url, '--audio', AUDIO, '--video', VIDEO, ...options];
    this.#process = spawn(PROGRAM, args, { env: { ...process.env, LD_LIBRARY_PATH: folder } });
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        this.#printed += part;
        this.#looking?.();
      });
    this.#process.once('exit', () => this.#looking?.());
  }

  /** Waits until it has printed this. */
  async sees(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#printed)) {
      if (this.#process.exitCode !== null) throw new Error(`it has ended: ${this.#printed}`);
      await new Promise<void>((resolve) => (this.#looking = resolve));
    }
  }

  /** It leaves, by a DELETE, and ends. */
  async stop(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGINT');
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
      await gone;
      clearTimeout(timer);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
