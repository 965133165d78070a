/** pion: ICE, DTLS 1.2 and SCTP of its own, in Go. Built here, from the sources that Debian packages. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { describeForeign } from './availability.ts';
import { startProcess } from './child-process.ts';
import type { RunningPeer } from './contract.ts';
import { ALL_ROLES, describeConversations } from './conversations.ts';

const SOURCE = fileURLToPath(new URL('./pion/', import.meta.url));
const DEBIAN_SOURCES = '/usr/share/gocode';

/** Debian's compiler, or whichever is there. */
const GO = ['/usr/bin/go', 'go'].find((command) => spawnSync(command, ['version']).status === 0);

let folder = '';

afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true });
});

function missing(): string | undefined {
  if (GO === undefined) return 'there is no Go compiler (apt-get install golang-go)';
  if (existsSync(join(DEBIAN_SOURCES, 'src/github.com/pion/webrtc'))) return undefined;
  return `pion is not below ${DEBIAN_SOURCES} (apt-get install golang-github-pion-webrtc.v3-dev)`;
}

/** Without modules, for these would be fetched: the program is put in a GOPATH of its own, before Debian's. */
function build(): string {
  folder = mkdtempSync(join(tmpdir(), 'sansrtc-pion-'));
  const program = join(folder, 'peer');
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
  const { status, stderr } = spawnSync(GO ?? '', ['build', '-o', program, 'peer'], {
    env: { ...process.env, ...settings },
  });
  if (status !== 0) throw new Error(`pion does not build: ${stderr.toString()}`);
  return program;
}

describeForeign('pion', missing(), () => {
  describeConversations({
    name: 'pion',
    start: (): Promise<RunningPeer> => startProcess(build()),
    // It reads into a buffer of 65535 bytes.
    largestMessage: 65_535,
    tlsVersion: 'FEFD',
    // It answers `active` to any offer, which is no answer to an offer of `active`.
    roles: ALL_ROLES.filter(([offerer, role]) => offerer === 'foreign' || role === 'server'),
    reusesIds: false,
  });
});
