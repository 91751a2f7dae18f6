import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TIED } from '../../src/media/commands.js';
import { freePort } from './processes.js';
import { eventually } from './world.js';

const MAGIC_COOKIE = 0x2112a442;
const ALLOCATE_REQUEST = 0x0003;
const ALLOCATE_SUCCESS = 0x0103;
const ATTRIBUTE = { username: 0x0006, integrity: 0x0008, error: 0x0009, realm: 0x0014, nonce: 0x0015, relayed: 0x0016, requestedTransport: 0x0019 } as const;
const INTEGRITY_BYTES = 24;
const ASK_AGAIN_MS = 250;
const UDP = 17;

/** Debian's coturn, on the loopback and as docs/CALLS.md has an operator run it: with the secret that the server knows too. */
export class Coturn {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly said: string[],
  ) {}

  static async start(secret: string): Promise<Coturn> {
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-turn-'));
    const port = await freePort();
    const [program, ...args] = [
      ...TIED, 'turnserver', '-n', '--listening-ip', '127.0.0.1', '--relay-ip', '127.0.0.1', '--listening-port', String(port), '--realm', 'turn.example.com',
      '--use-auth-secret', '--static-auth-secret', secret, '--allow-loopback-peers', '--no-cli', '--no-tls', '--no-dtls',
      '--userdb', join(folder, 'turndb'), '--pidfile', join(folder, 'pid'), '--log-file', 'stdout',
    ];
    const child = spawn(program!, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => void said.push(chunk));
    child.once('error', (error) => void said.push(`${error.message}. It is Debian's coturn: apt-get install -y coturn`));
    const coturn = new Coturn(port, child, folder, said);
    try {
      // It listens once it refuses somebody without credentials.
      await eventually(() => coturn.#ended || coturn.allocate(null).then(() => true, () => false), 'coturn answers');
      if (coturn.#ended) throw new Error('it has ended');
    } catch (error) {
      await coturn.stop();
      throw new Error(`coturn did not start. It said:\n${said.join('')}`, { cause: error });
    }
    return coturn;
  }

  get url(): string {
    return `turn:127.0.0.1:${this.port}?transport=udp`;
  }

  /** What it has told in its log. */
  get log(): string {
    return this.said.join('');
  }

  /**
   * Asks for a relayed address with long-term credentials (RFC 8656, RFC 8489), as a browser does before it tells a relay candidate.
   * @returns the port that was given; or the code with which it was refused
   */
  async allocate(credentials: { username: string; credential: string } | null): Promise<{ relayedPort: number } | { refused: number }> {
    const socket = createSocket('udp4');
    try {
      // The first question is always refused, and told what the second needs.
      const first = await this.#ask(socket, message(transport()));
      const realm = first.attributes.get(ATTRIBUTE.realm);
      const nonce = first.attributes.get(ATTRIBUTE.nonce);
      if (!credentials || !realm || !nonce) return { refused: codeOf(first) };
      const { username, credential } = credentials;
      const key = createHash('md5').update(`${username}:${realm.toString()}:${credential}`).digest();
      const body = Buffer.concat([transport(), attribute(ATTRIBUTE.username, Buffer.from(username)), attribute(ATTRIBUTE.realm, realm), attribute(ATTRIBUTE.nonce, nonce)]);
      const answer = await this.#ask(socket, message(body, key));
      if (answer.type !== ALLOCATE_SUCCESS) return { refused: codeOf(answer) };
      return { relayedPort: answer.attributes.get(ATTRIBUTE.relayed)!.readUInt16BE(2) ^ (MAGIC_COOKIE >>> 16) };
    } finally {
      socket.close();
    }
  }

  /** Carries nothing any more, in either direction, as a network that fails without a word; `false` mends it. */
  cut(cut = true): void {
    this.child.kill(cut ? 'SIGSTOP' : 'SIGCONT');
  }

  async stop(): Promise<void> {
    const gone = this.#ended ? null : once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
    await rm(this.folder, { recursive: true, force: true });
  }

  get #ended(): boolean {
    return this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Over UDP a question is asked again until it is answered. */
  async #ask(socket: Socket, question: Buffer): Promise<Answer> {
    const patience = AbortSignal.timeout(ASK_AGAIN_MS * 4);
    const send = () => socket.send(question, this.port, '127.0.0.1');
    const again = setInterval(send, ASK_AGAIN_MS);
    try {
      send();
      for (;;) {
        const [packet] = (await once(socket, 'message', { signal: patience })) as [Buffer];
        if (packet.subarray(8, 20).equals(question.subarray(8, 20))) return read(packet);
      }
    } finally {
      clearInterval(again);
    }
  }
}

interface Answer {
  type: number;
  attributes: Map<number, Buffer>;
}

function message(body: Buffer, key?: Buffer): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(ALLOCATE_REQUEST, 0);
  // What is signed counts the signature already.
  head.writeUInt16BE(body.length + (key ? INTEGRITY_BYTES : 0), 2);
  head.writeUInt32BE(MAGIC_COOKIE, 4);
  randomBytes(12).copy(head, 8);
  const unsigned = Buffer.concat([head, body]);
  return key ? Buffer.concat([unsigned, attribute(ATTRIBUTE.integrity, createHmac('sha1', key).update(unsigned).digest())]) : unsigned;
}

const transport = (): Buffer => attribute(ATTRIBUTE.requestedTransport, Buffer.from([UDP, 0, 0, 0]));

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

function read(packet: Buffer): Answer {
  const attributes = new Map<number, Buffer>();
  for (let at = 20; at + 4 <= packet.length; ) {
    const length = packet.readUInt16BE(at + 2);
    attributes.set(packet.readUInt16BE(at), packet.subarray(at + 4, at + 4 + length));
    at += 4 + length + ((4 - (length % 4)) % 4);
  }
  return { type: packet.readUInt16BE(0), attributes };
}

function codeOf({ attributes }: Answer): number {
  const error = attributes.get(ATTRIBUTE.error);
  return error ? (error[2]! & 7) * 100 + error[3]! : 0;
}
