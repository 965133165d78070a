/** This library's server as a process of its own, as its rival's is: the verbs of an uploaded-to peer by JSON lines. */
import { createInterface } from 'node:readline';
import { Host, type Connection } from '../../test/browser/host.ts';

interface Request {
  readonly id: number;
  readonly method: string;
  readonly args: readonly [name: string, textOrLabel: string, bytes: number];
}

const host = await Host.listen();
const connections = new Map<string, { readonly connection: Connection; readonly answer: string }>();

async function serve({ method, args: [name, text, bytes] }: Request): Promise<unknown> {
  if (method === 'answer') {
    const connection = host.connection();
    const answer = connection.rtc.receiveOffer(text).answer();
    connections.set(name, { connection, answer });
    return answer;
  }
  const end = connections.get(name);
  if (end === undefined) throw new Error(`no connection "${name}"`);
  if (method === 'completeDescription') return end.answer;
  if (method === 'opened') return (await end.connection.opened(text)).label;
  if (method === 'receiveBulk') return end.connection.receiveBulk(text, bytes);
  if (method !== 'close') throw new Error(`no such method: ${method}`);
  end.connection.rtc.close();
  connections.delete(name);
  return undefined;
}

function say(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const request = JSON.parse(line) as Request;
    serve(request).then(
      (result) => say({ id: request.id, result: result ?? null }),
      (error: unknown) => say({ id: request.id, error: String(error) }),
    );
  })
  .on('close', () => void host.close());
say({ ready: 'sansrtc' });
