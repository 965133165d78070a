/**
 * A certificate authority of the tests' own, made by OpenSSL once a process: the servers that it vouches for are believed by
 * whoever is given its certificate, and by nobody else.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const DAYS = '2';
const NAME = 'sansrtc test authority';

let authority: Authority | undefined;

/** What a TLS server presents, as PEM files. */
export interface Issued {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** The authority, and what it has signed; its files go when this process ends. */
export class Authority {
  /** The certificate that vouches for all others, a PEM file. */
  readonly certificateFile: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'sansrtc-authority-'));
  readonly #keyFile: string;
  readonly #issued = new Map<string, Issued>();

  static ofThisRun(): Authority {
    authority ??= new Authority();
    return authority;
  }

  private constructor() {
    process.once('exit', () => rmSync(this.#folder, { recursive: true, force: true }));
    this.certificateFile = join(this.#folder, 'authority.pem');
    this.#keyFile = join(this.#folder, 'authority.key');
    run(
      'openssl',
      ...['req', '-x509', '-nodes', '-days', DAYS, '-subj', `/CN=${NAME}`],
      ...newKey(this.#keyFile),
      ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-out', this.certificateFile],
    );
  }

  /** The certificate as PEM text. */
  get certificate(): string {
    return readFileSync(this.certificateFile, 'utf8');
  }

  /** Puts it into a browser's list of authorities, which is made: an NSS database in this folder. */
  becomeKnownTo(folder: string): void {
    mkdirSync(folder, { recursive: true });
    const database = ['-d', `sql:${folder}`];
    run('certutil', '-N', ...database, '--empty-password');
    run('certutil', '-A', ...database, '-n', NAME, '-t', 'C,,', '-i', this.certificateFile);
  }

  /** What a server at this address presents: it is `localhost` besides. */
  issue(address: string): Issued {
    const known = this.#issued.get(address);
    if (known !== undefined) return known;
    const name = join(this.#folder, `server-${this.#issued.size}`);
    const issued = { certificateFile: `${name}.pem`, keyFile: `${name}.key` };
    run(
      'openssl',
      ...['req', '-nodes', '-subj', '/CN=sansrtc test server', '-out', `${name}.csr`],
      ...newKey(issued.keyFile),
    );
    const extensions = [
      `subjectAltName=DNS:localhost,IP:${address}`,
      'basicConstraints=critical,CA:FALSE',
      'extendedKeyUsage=serverAuth',
    ];
    writeFileSync(`${name}.ext`, extensions.join('\n'));
    run(
      'openssl',
      ...['x509', '-req', '-days', DAYS, '-in', `${name}.csr`, '-out', issued.certificateFile],
      ...['-CA', this.certificateFile, '-CAkey', this.#keyFile, '-CAcreateserial'],
      ...['-extfile', `${name}.ext`],
    );
    this.#issued.set(address, issued);
    return issued;
  }
}

function newKey(file: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', file];
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: 'pipe' });
}
