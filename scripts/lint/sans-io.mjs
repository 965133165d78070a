/**
 * The ESLint rule that keeps the rooms of src/ apart: who may import whom (docs/architecture.md draws the picture).
 * A room may always import from itself; anything else must be listed here.
 */
const PROTOCOL_BASE = ['core', 'crypto'];

/** Room of the importing file → rooms it may import from. A `src/x.ts` file is the room `x`. */
const MAY_IMPORT = {
  core: [],
  crypto: ['core'],
  'crypto/node': ['core', 'crypto'],
  stun: PROTOCOL_BASE,
  ice: [...PROTOCOL_BASE, 'stun'],
  dtls: PROTOCOL_BASE,
  sctp: PROTOCOL_BASE,
  channel: ['core', 'sctp'],
  sdp: ['core'],
  negotiation: ['core', 'sdp'],
  rtc: ['core', 'crypto', 'stun', 'ice', 'dtls', 'sctp', 'channel', 'sdp', 'negotiation'],
  endpoint: ['core', 'crypto', 'stun', 'rtc'],
  sim: ['core', 'crypto', 'rtc', 'endpoint'],
  node: ['core', 'crypto', 'rtc', 'endpoint'],
  certificate: ['core', 'crypto', 'dtls'],
  index: ['core', 'crypto', 'ice', 'dtls', 'sctp', 'channel', 'sdp', 'negotiation', 'rtc', 'endpoint'],
};

/** The room of a file below src/, or undefined outside of it. */
function roomOf(file) {
  const below = file.replaceAll('\\', '/').split('/src/').at(-1);
  if (below === undefined || below.startsWith('/')) return undefined;
  if (below.startsWith('crypto/node/')) return 'crypto/node';
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

const layers = {
  meta: { type: 'problem', schema: [], messages: { crossed: '"{{from}}" must not import from "{{to}}"' } },
  create(context) {
    const from = roomOf(context.filename);
    function check(node) {
      const specifier = node.source?.value;
      if (typeof specifier !== 'string' || !specifier.startsWith('.')) return;
      const to = roomOf(resolve(context.filename, specifier));
      if (to === from || from === undefined) return;
      if (!(MAY_IMPORT[from] ?? []).includes(to)) {
        context.report({ node, messageId: 'crossed', data: { from, to: to ?? specifier } });
      }
    }
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};

export const sansIo = { rules: { layers } };
