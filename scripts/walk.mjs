/**
 * Walk: the files of src/ that one message runs through, between two connected `Rtc` in the steady state: `npm run walk`.
 *
 *   in     one datagram that holds a message: handleInput, and a drain until `message` is out
 *   out    one `channel.send`, and a drain until its datagram is out
 *
 * V8's coverage says which functions were called; a mark at the head of each of them says in which order their files came.
 * The clock is virtual and the randomness seeded, so the same list comes out every time.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Within node_modules, so that packages are found from there. */
const BUILT = join(ROOT, 'node_modules', '.walk');

const MESSAGES_BEFORE = 500;
const MESSAGE = new Uint8Array(200);
/** Milliseconds from one message to the next, and the longest wait for a connection. */
const INTERVAL = 20;
const PATIENCE = 20_000;

/** Files in the order in which their functions were called. */
const marks = new Set();
globalThis.__walk = (file) => marks.add(file);

/** Puts `__walk(file)` at the head of every function. */
function marking(file) {
  return (context) => (source) => {
    const { factory } = context;
    const mark = factory.createCallExpression(factory.createIdentifier('__walk'), undefined, [
      factory.createStringLiteral(file),
    ]);
    function visit(node) {
      const seen = ts.visitEachChild(node, visit, context);
      if (ts.isArrowFunction(seen) && !ts.isBlock(seen.body)) {
        const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken } = seen;
        const body = factory.createParenthesizedExpression(factory.createComma(mark, seen.body));
        return factory.updateArrowFunction(
          seen,
          modifiers,
          typeParameters,
          parameters,
          type,
          equalsGreaterThanToken,
          body,
        );
      }
      if (!ts.isBlock(seen) || !ts.isFunctionLike(node.parent) || isDerived(node.parent)) return seen;
      return factory.updateBlock(seen, [factory.createExpressionStatement(mark), ...seen.statements]);
    }
    return ts.visitNode(source, visit);
  };
}

/** A constructor that must begin with `super()`. */
function isDerived(declaration) {
  if (!ts.isConstructorDeclaration(declaration)) return false;
  return (
    declaration.parent.heritageClauses?.some(({ token }) => token === ts.SyntaxKind.ExtendsKeyword) === true
  );
}

function build() {
  rmSync(BUILT, { recursive: true, force: true });
  for (const name of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, 'src', name), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
      transformers: { before: [marking(name.replaceAll('\\', '/'))] },
    });
    const built = join(BUILT, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(built), { recursive: true });
    writeFileSync(built, outputText);
  }
  writeFileSync(join(BUILT, 'package.json'), '{ "type": "module" }');
}

const session = new Session();
session.connect();

/** Calls back before it returns: the inspector is of this thread. */
function post(method, parameters) {
  let answer;
  session.post(method, parameters, (error, result) => {
    if (error !== null) throw error;
    answer = result;
  });
  return answer;
}

/** The files in which a function was called while `run` ran, in order; those that V8 alone has seen stand last. */
function walk(run) {
  post('Profiler.takePreciseCoverage');
  marks.clear();
  run();
  const order = [...marks];
  const prefix = `${pathToFileURL(BUILT).href}/`;
  const called = post('Profiler.takePreciseCoverage')
    .result.filter(({ url, functions }) => {
      return url.startsWith(prefix) && functions.some(({ ranges }) => ranges[0].count > 0);
    })
    .map(({ url }) => url.slice(prefix.length).replace(/\.js$/, '.ts'));
  return [
    ...order.filter((file) => called.includes(file)),
    ...called.filter((file) => !order.includes(file)),
  ];
}

function fail(what) {
  console.error(what);
  process.exit(1);
}

// --- two connections ---

build();
const { Rtc, SeededRandom, selfSignedCertificate } = await import(
  pathToFileURL(join(BUILT, 'index.js')).href
);

const certificate = selfSignedCertificate({ random: new SeededRandom(1) });
const ends = [1, 2].map((n) => ({
  rtc: new Rtc({ certificate, random: new SeededRandom(n) }),
  address: `192.0.2.${n}`,
  /** Datagrams for it, on their way. */
  arriving: [],
  channel: undefined,
  wake: 0,
}));
const [sender, receiver] = ends;
let now = 0;

/** Drains an end; `until` stops it at an output. */
function drain(end, until = () => false) {
  for (;;) {
    const output = end.rtc.pollOutput();
    if (output.type === 'transmit') (end === sender ? receiver : sender).arriving.push(output);
    else if (output.type === 'event') {
      if (output.event.type === 'channelopen' || output.event.type === 'datachannel')
        end.channel = output.event.channel;
    } else {
      end.wake = output.at;
      return until(output);
    }
    if (until(output)) return true;
  }
}

function feed(end, { protocol, source, destination, data }) {
  end.rtc.handleInput({ type: 'receive', now, protocol, source, destination, data });
}

/** Everything that is on its way arrives, and what is due is done. */
function settle() {
  for (const end of ends) {
    end.rtc.handleInput({ type: 'timeout', now });
    drain(end);
  }
  while (ends.some(({ arriving }) => arriving.length > 0)) {
    for (const end of ends) {
      for (const datagram of end.arriving.splice(0)) {
        feed(end, datagram);
        drain(end);
      }
    }
  }
}

for (const { rtc, address } of ends) {
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
}
const draft = sender.rtc.negotiation();
draft.addChannel('walk');
const offer = draft.offer();
offer.accept(receiver.rtc.receiveOffer(offer.sdp).answer());
settle();
while (ends.some(({ channel }) => channel?.readyState !== 'open')) {
  now = Math.min(...ends.map(({ wake }) => wake));
  if (!(now < PATIENCE)) fail('the two did not connect');
  settle();
}

// --- the steady state ---

function pass(milliseconds) {
  const end = now + milliseconds;
  for (;;) {
    const next = Math.min(...ends.map(({ wake }) => wake));
    now = Math.max(now, Math.min(next, end));
    settle();
    if (now >= end) return;
  }
}

for (let i = 0; i < MESSAGES_BEFORE; i++) {
  pass(INTERVAL);
  sender.channel.send(MESSAGE);
  settle();
}
pass(INTERVAL);

post('Profiler.enable');
post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

function out() {
  const { length } = receiver.arriving;
  sender.channel.send(MESSAGE);
  if (!drain(sender, () => receiver.arriving.length > length)) fail('nothing was sent');
}

function inwards() {
  const datagram = receiver.arriving.shift();
  feed(receiver, datagram);
  if (!drain(receiver, ({ type, event }) => type === 'event' && event.type === 'message'))
    fail('no message came out');
}

// A send comes within a drain or after a time was told: a stale clock would hold it up for a millisecond.
sender.rtc.handleInput({ type: 'timeout', now });
const walks = [
  ['out', 'channel.send, to its datagram', walk(out)],
  ['in', 'a datagram, to its message', walk(inwards)],
];
for (const [way, what, files] of walks) {
  console.log(`${way} (${what}): ${files.length} files`);
  for (const [i, file] of files.entries()) console.log(`  ${String(i + 1).padStart(2)}  ${file}`);
}
rmSync(BUILT, { recursive: true, force: true });
