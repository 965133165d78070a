/**
 * The kernel of src/crypto compiled: `npm run build:kernel` reads src/crypto/kernel/assembly and writes src/crypto/kernel/module.ts.
 * The same source gives the same bytes; test/tooling/kernel.test.ts holds the file that is checked in against the source.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCE = 'src/crypto/kernel/assembly/index.ts';
const TARGET = 'src/crypto/kernel/module.ts';

/** No runtime, for nothing is allocated; memory that does not grow. */
const OPTIONS = [
  '-O3',
  '--runtime',
  'stub',
  '--noAssert',
  '--enable',
  'simd',
  '--initialMemory',
  '4',
  '--maximumMemory',
  '4',
];

/** @returns {Promise<Uint8Array>} the module */
export async function compileKernel() {
  const { error, stderr, binary } = await compile();
  if (error !== null) throw new Error(stderr.toString(), { cause: error });
  return binary;
}

async function compile() {
  let binary;
  const result = await asc.main([SOURCE, '--outFile', 'kernel.wasm', '--baseDir', ROOT, ...OPTIONS], {
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = contents;
    },
  });
  return { ...result, binary };
}

/** @param {Uint8Array} binary */
export function moduleSource(binary) {
  const text = Buffer.from(binary).toString('base64');
  return `/** The kernel as WebAssembly, in base64: made from ./assembly by \`npm run build:kernel\`. */\nexport const KERNEL =\n  '${text}';\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const binary = await compileKernel();
  await writeFile(`${ROOT}/${TARGET}`, moduleSource(binary));
  console.log(`${TARGET}: ${binary.length} bytes`);
}
