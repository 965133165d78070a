/** Every code a user can meet is in docs/errors.md: the sources are searched for them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const documented = readFileSync(join(root, 'docs/errors.md'), 'utf8');

function sources(folder: string): string {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(root, folder, file), 'utf8'))
    .join('\n');
}

function matches(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, code]) => code ?? ''))].sort();
}

describe('docs/errors.md', () => {
  test('names every code of misuse', () => {
    // ERR_SOCKET_… are Node's own, which the driver looks for.
    const codes = matches(sources('src'), /'(ERR_[A-Z_]+)'/g).filter(
      (code) => !code.startsWith('ERR_SOCKET_'),
    );
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !documented.includes(`\`${code}\``))).toEqual([]);
  });

  test('names every failure of ICE, TURN, DTLS, SCTP, the channels and media', () => {
    const layers = ['ice', 'turn', 'dtls', 'sctp', 'channel', 'media', 'rtc']
      .map((room) => sources(`src/${room}`))
      .join('\n');
    const codes = [
      ...matches(layers, /\bcode: '([a-z-]+)'/g),
      ...matches(layers, /\b(?:failure|channelFailure)\((?:a, )?'([a-z-]+)'/g),
      ...matches(layers, /abortForViolation\(a, '([a-z-]+)'/g),
    ];
    expect(codes.length).toBeGreaterThan(30);
    expect(codes.filter((code) => !documented.includes(`\`${code}\``))).toEqual([]);
  });

  test('names every reason for which a description is refused', () => {
    const source = readFileSync(join(root, 'src/sdp/error.ts'), 'utf8');
    const codes = matches(source.slice(0, source.indexOf('export type SdpErrorCode')), /\| '([a-z-]+)'/g);
    expect(codes.length).toBeGreaterThan(30);
    expect(codes.filter((code) => !documented.includes(`\`${code}\``))).toEqual([]);
  });
});
