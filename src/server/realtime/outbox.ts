import type { RenderGroup } from './render-group.js';
import type { Sink } from './sink.js';

/** An event that is in no log: rendered once for everybody of a group, and forgotten with the last who waits for it. */
export class EphemeralEvent {
  readonly #bytes = new Map<string, Buffer | Promise<Buffer>>();

  constructor(private readonly body: object) {}

  for(group: RenderGroup): Buffer | Promise<Buffer> {
    let bytes = this.#bytes.get(group.key);
    if (!bytes) this.#bytes.set(group.key, (bytes = group.renderEphemeral(this.body)));
    return bytes;
  }
}

/** Subjects that may wait for one slow reader; past it the oldest is dropped. */
const MAX_WAITING = 100;

/**
 * What one subscription has still to be told of things that pass: of each subject only the newest. A reader that is slow gets
 * fewer events, never older ones, and holds no more than these.
 */
export class Outbox {
  readonly #waiting = new Map<string, EphemeralEvent>();
  #writing = false;

  constructor(
    private readonly sink: Sink,
    private readonly group: RenderGroup,
    /** What should have been told of a subject could not be rendered. */
    private readonly onError: (error: unknown, subject: string) => void,
  ) {}

  offer(subject: string, event: EphemeralEvent): void {
    if (this.sink.closed) return;
    this.#waiting.delete(subject);
    this.#waiting.set(subject, event);
    if (this.#waiting.size > MAX_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!);
    if (!this.#writing) void this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.size && !this.sink.closed) {
      const room = this.sink.drained();
      if (room) await room;
      const [next] = this.#waiting;
      if (!next || this.sink.closed) break;
      this.#waiting.delete(next[0]);
      try {
        const bytes = next[1].for(this.group);
        const ready = bytes instanceof Promise ? await bytes : bytes;
        if (!this.sink.closed) this.sink.next(ready);
      } catch (error) {
        this.onError(error, next[0]);
      }
    }
    this.#writing = false;
  }
}
