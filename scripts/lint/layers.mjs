/**
 * Layers: the ESLint rule that keeps the rooms of src/ apart: who may import whom, by which files, and which packages
 * (docs/architecture.md draws the picture). A room may always import from itself; anything else must be listed here.
 */
const PROTOCOL_BASE = ['core', 'crypto'];

/** Room of the importing file → rooms it may import from. A `src/x.ts` file is the room `x`. */
export const MAY_IMPORT = {
  core: [],
  crypto: ['core'],
  'crypto/node': ['core', 'crypto'],
  stun: PROTOCOL_BASE,
  ice: [...PROTOCOL_BASE, 'stun'],
  turn: [...PROTOCOL_BASE, 'stun'],
  dtls: PROTOCOL_BASE,
  sctp: PROTOCOL_BASE,
  channel: ['core', 'sctp'],
  srtp: PROTOCOL_BASE,
  rtp: ['core'],
  media: ['core', 'rtp', 'srtp'],
  sdp: ['core'],
  negotiation: ['core', 'sdp'],
  transport: ['core', 'crypto', 'ice', 'dtls', 'srtp'],
  rtc: [
    'core',
    'crypto',
    'stun',
    'ice',
    'dtls',
    'sctp',
    'channel',
    'transport',
    'sdp',
    'negotiation',
    'media',
    'rtp',
  ],
  gather: [...PROTOCOL_BASE, 'stun', 'ice', 'turn'],
  endpoint: ['core', 'crypto', 'stun', 'ice', 'dtls', 'gather', 'rtc'],
  trace: ['core', 'crypto', 'dtls', 'channel', 'media', 'rtc'],
  sim: ['core', 'crypto', 'stun', 'turn', 'rtc', 'endpoint'],
  'sim/fast-check': ['sim'],
  node: ['core', 'crypto', 'crypto/node', 'dtls', 'rtc', 'endpoint', 'gather', 'ice'],
  cli: ['core', 'crypto', 'crypto/node', 'stun', 'ice', 'dtls', 'channel', 'rtc', 'gather', 'node', 'trace'],
  streams: ['core', 'channel', 'rtc'],
  certificate: ['core', 'crypto', 'dtls'],
  index: [
    'core',
    'crypto',
    'ice',
    'dtls',
    'sctp',
    'channel',
    'sdp',
    'negotiation',
    'rtc',
    'gather',
    'turn',
    'endpoint',
  ],
};

/**
 * Room → the files, from its folder, by which others may enter it besides its `index.ts`. Its README names them, in a line
 * that begins with "Faces:"; test/tooling/lint.test.ts keeps the two equal.
 */
export const FACES = {
  crypto: ['provider.ts', 'hkdf.ts', 'scalar.ts'],
  stun: ['summary.ts'],
  dtls: [
    'summary.ts',
    'identification.ts',
    'certificate/certificate.ts',
    'certificate/der.ts',
    'certificate/fingerprint.ts',
  ],
  sctp: ['summary.ts'],
  channel: ['summary.ts'],
  rtp: ['summary.ts'],
  rtc: [
    '../rtc.ts',
    'perfect-negotiator.ts',
    'signals.ts',
    'calls.ts',
    'tracer/entry.ts',
    'tracer/fields.ts',
    'tracer/redact.ts',
    'tracer/summary.ts',
  ],
  endpoint: ['../endpoint.ts', 'warm-up.ts'],
};

/** Has no `index.ts`: it is no subject but what all others stand on, and each file of it is a face. */
const OPEN_ROOM = 'core';

/** Room → packages it may import from, with everything below them. */
const MAY_DEPEND = {
  crypto: ['@noble/ciphers', '@noble/curves', '@noble/hashes', '@noble/post-quantum'],
  'crypto/node': ['node:crypto'],
  'sim/fast-check': ['fast-check'],
  node: ['node:', 'multicast-dns'],
  cli: ['node:'],
  certificate: ['@peculiar/x509', 'reflect-metadata'],
};

/** Rooms inside another one's folder: entry points with a dependency of their own, which are at home in all of that one. */
const INNER_ROOMS = ['crypto/node', 'sim/fast-check'];

/** The room of a file below src/, or undefined outside of it. */
function roomOf(file) {
  const below = file.replaceAll('\\', '/').split('/src/').at(-1);
  if (below === undefined || below.startsWith('/')) return undefined;
  const inner = INNER_ROOMS.find((room) => below.startsWith(`${room}/`));
  if (inner !== undefined) return inner;
  const [first, ...rest] = below.split('/');
  return rest.length === 0 ? first.replace(/\.ts$/, '') : first;
}

function resolve(from, specifier) {
  const parts = from.replaceAll('\\', '/').split('/').slice(0, -1);
  for (const step of specifier.split('/')) {
    if (step === '..') parts.pop();
    else if (step !== '.') parts.push(step);
  }
  return parts.join('/');
}

/** Whether `file` is one by which `from` may enter the room `to`. */
function isFace(from, to, file) {
  if (to === OPEN_ROOM || from.startsWith(`${to}/`)) return true;
  const below = file.split('/src/').at(-1);
  return ['index.ts', ...(FACES[to] ?? [])].some((face) => resolve(`${to}/README.md`, face) === below);
}

function mayDepend(room, specifier) {
  const allowed = MAY_DEPEND[room] ?? [];
  return allowed.some((name) =>
    name.endsWith(':') ? specifier.startsWith(name) : specifier === name || specifier.startsWith(`${name}/`),
  );
}

export const layers = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      crossed: '"{{from}}" must not import from "{{to}}"',
      face: '"{{from}}" must enter "{{to}}" by a face of it, which "{{file}}" is not',
      dependency: '"{{from}}" must not depend on "{{to}}"',
    },
  },
  create(context) {
    const from = roomOf(context.filename);
    function check(node) {
      const specifier = node.source?.value;
      if (from === undefined || typeof specifier !== 'string') return;
      if (!specifier.startsWith('.')) {
        if (mayDepend(from, specifier)) return;
        context.report({ node, messageId: 'dependency', data: { from, to: specifier } });
        return;
      }
      const file = resolve(context.filename, specifier);
      const to = roomOf(file);
      if (to === from) return;
      if (!(MAY_IMPORT[from] ?? []).includes(to))
        context.report({ node, messageId: 'crossed', data: { from, to: to ?? specifier } });
      else if (!isFace(from, to, file))
        context.report({ node, messageId: 'face', data: { from, to, file: specifier } });
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      TSImportType: check,
    };
  },
};
