/** pion: ICE, DTLS and SCTP of its own, in Go. Built here: v3 from the sources that Debian packages, v4 from its modules. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import { Host } from '../browser/host.ts';
import type { Rtc } from '../../src/rtc.ts';
import { describeForeign } from './availability.ts';
import { startProcess } from './child-process.ts';
import { ALL_ROLES, describeConversations } from './conversations.ts';
import { describeForwarding } from './forwarding.ts';
import { installed, run } from './installed.ts';
import type { Installation } from './installed.ts';
import { describeLayers } from './layers.ts';
import { Meeting } from './meeting.ts';
import { describeTrials } from './trials.ts';

const SOURCE = fileURLToPath(new URL('./pion/', import.meta.url));
const DEBIAN_SOURCES = '/usr/share/gocode';

/** Debian's compiler, or whichever is there. */
const GO = ['/usr/bin/go', 'go'].find((command) => spawnSync(command, ['version']).status === 0);

const BULK = 2 * 1024 * 1024;

/** Packets: two to three seconds of them. */
const PLAYED = { audio: 100, video: 300 };

type Inspection = ReturnType<Rtc['inspect']>['sctp'];

let program = '';
let folder = '';

afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true });
});

function missing(): string | undefined {
  if (GO === undefined) return 'there is no Go compiler (apt-get install golang-go)';
  if (existsSync(join(DEBIAN_SOURCES, 'src/github.com/pion/webrtc'))) return undefined;
  return `pion is not below ${DEBIAN_SOURCES} (apt-get install golang-github-pion-webrtc.v3-dev)`;
}

/** Once. Without modules, for these would be fetched: the program is put in a GOPATH of its own, before Debian's. */
function build(): string {
  if (program !== '') return program;
  folder = mkdtempSync(join(tmpdir(), 'sansrtc-pion-'));
  const output = join(folder, 'peer');
  mkdirSync(join(folder, 'src'));
  cpSync(SOURCE, join(folder, 'src/peer'), { recursive: true });
  const settings = {
    GO111MODULE: 'off',
    GOPATH: `${folder}:${DEBIAN_SOURCES}`,
    GOCACHE: process.env['GOCACHE'] ?? join(tmpdir(), 'sansrtc-go-cache'),
    GOTOOLCHAIN: 'local',
    GOFLAGS: '',
    // There need not be a C compiler.
    CGO_ENABLED: '0',
  };
  const { status, stderr } = spawnSync(GO ?? '', ['build', '-o', output, 'peer'], {
    env: { ...process.env, ...settings },
  });
  if (status !== 0) throw new Error(`pion does not build: ${stderr.toString()}`);
  program = output;
  return program;
}

describeForeign('pion', missing(), () => {
  test('C2: it drops packets with a PAD chunk, and answers a HEARTBEAT of any size: packets grow', async () => {
    const running = await startProcess(build());
    const host = await Host.listen();
    try {
      const meeting = await Meeting.begin(host, running.peer, { offerer: 'foreign' });
      const sctp = (): Inspection => meeting.connection.rtc.inspect().sctp;
      expect(await meeting.bulkFromUs('chat', BULK)).toBe(true);
      expect(sctp().counters['path-mtu-probes-sent']).toBeGreaterThan(0);
      await vi.waitFor(() => expect(sctp().pathMtu.size).toBeGreaterThan(1400), { timeout: 5000 });
      expect(await meeting.bulkFromUs('chat', BULK)).toBe(true);
    } finally {
      await host.close();
      await running.stop();
    }
  });

  describeConversations({
    name: 'pion',
    start: () => startProcess(build()),
    // It reads into a buffer of 65535 bytes.
    largestMessage: 65_535,
    tlsVersion: 'FEFD',
    // It answers `active` to any offer, which is no answer to an offer of `active`.
    roles: ALL_ROLES.filter(([offerer, role]) => offerer === 'foreign' || role === 'server'),
    reusesIds: false,
  });
});

describeForeign('pion, media', missing(), () => {
  describeForwarding({ name: 'pion', start: () => startProcess(build()), enough: PLAYED });
});

/** What the modules of v4 ask for. */
const GO_FOR_V4 = [1, 24] as const;

/** Whichever compiler is new enough; Debian's own need not be. */
function goForV4(): string | undefined {
  return ['go', '/usr/local/go/bin/go', '/usr/bin/go'].find((command) => {
    const { stdout } = spawnSync(command, ['env', 'GOVERSION'], { encoding: 'utf8' });
    const [, major = 0, minor = 0] = /^go(\d+)\.(\d+)/.exec(stdout) ?? [];
    return Number(major) > GO_FOR_V4[0] || (Number(major) === GO_FOR_V4[0] && Number(minor) >= GO_FOR_V4[1]);
  });
}

/** The same program on v4; its module file pins the versions, and what they must hash to. */
function buildV4(): Installation {
  const go = goForV4();
  if (go === undefined) return { missing: `it needs Go ${GO_FOR_V4.join('.')} or later` };
  const sourceOf = (file: string): string =>
    readFileSync(join(SOURCE, file), 'utf8')
      .replaceAll('pion/webrtc/v3"', 'pion/webrtc/v4"')
      .replaceAll('pion/ice/v2"', 'pion/ice/v4"')
      .replaceAll('pion/webrtc v3', 'pion/webrtc v4');
  return installed('pion-v4.2.26-layers', (into) => {
    for (const file of ['main.go', 'media.go', 'layers.go']) writeFileSync(join(into, file), sourceOf(file));
    for (const file of ['go.mod', 'go.sum']) cpSync(join(SOURCE, 'v4', file), join(into, file));
    const settings = { GO111MODULE: 'on', GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
    run(go, ['build', '-o', 'peer', '.'], { cwd: into, env: settings });
  });
}

const v4 = buildV4();

describeForeign(
  'pion v4',
  v4.missing,
  () => {
    const start = (): ReturnType<typeof startProcess> => startProcess(join(v4.folder ?? '', 'peer'));
    describeTrials({ name: 'pion v4', start });
    describeForwarding({ name: 'pion v4', start, enough: PLAYED });
    describeLayers({ name: 'pion v4', start });
  },
  { isOptional: true },
);
