import WebSocket from 'ws';

/** A world, or as much of one as has the address of a server. */
type Where = { readonly apps: readonly { readonly url: string }[] };

/** A client of `/voice`: what it was told, and what it has heard. */
export class VoiceClient {
  readonly texts: Record<string, unknown>[] = [];
  readonly frames: Buffer[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.frames.push(data);
      else this.texts.push(JSON.parse(data.toString()) as Record<string, unknown>);
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
  }

  static async connect(world: Where, first: string | object | Buffer | null, node = 0): Promise<VoiceClient> {
    const client = new VoiceClient(new WebSocket(`${world.apps[node]!.url.replace('http', 'ws')}/voice`));
    await new Promise((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    if (first !== null) client.socket.send(typeof first === 'object' && !Buffer.isBuffer(first) ? JSON.stringify(first) : first);
    return client;
  }

  static join(world: Where, token: string, callId: string, more: object = {}): Promise<VoiceClient> {
    return VoiceClient.connect(world, { type: 'join', callId, authorization: `Bearer ${token}`, ...more });
  }

  /** 20 ms of Opus, with a mark to be known by. */
  say(mark: number, level = 20): void {
    this.socket.send(Buffer.from([level, 0xf8, 0xff, 0xfe, mark]));
  }

  is(type: string): Record<string, unknown> | undefined {
    return this.texts.find((text) => text['type'] === type);
  }
}
