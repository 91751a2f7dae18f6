import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EphemeralEvent, Outbox } from './outbox.js';
import type { RenderGroup } from './render-group.js';
import type { Sink } from './sink.js';

/** A reader that takes only what the test lets it. */
class Reader implements Sink {
  closed = false;
  readonly got: { subject: string; n: number }[] = [];
  #open = 0;
  #wake: (() => void)[] = [];

  next(payload: Buffer): void {
    this.#open--;
    this.got.push(JSON.parse(payload.toString()) as { subject: string; n: number });
  }
  error(): void {
    this.closed = true;
  }
  complete(): void {
    this.closed = true;
  }
  drained(): Promise<void> | null {
    return this.#open > 0 ? null : new Promise((resolve) => this.#wake.push(resolve));
  }
  /** Room for so many more. */
  async take(events: number): Promise<void> {
    this.#open += events;
    this.#wake.splice(0).forEach((wake) => wake());
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const groupOf = (render: (event: object) => Buffer | Promise<Buffer>, key = 'group') => ({ key, renderEphemeral: render }) as unknown as RenderGroup;
const asJson = (event: object) => Buffer.from(JSON.stringify(event));
const fail = (error: unknown) => assert.fail(String(error));

describe('outbox', () => {
  it('a slow reader is told less, never what is older, and in the end the newest of each subject', async () => {
    const steps = fc.array(fc.oneof(fc.record({ offer: fc.nat(5) }), fc.record({ take: fc.nat(3) })), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), async (script, later) => {
        const reader = new Reader();
        const outbox = new Outbox(reader, groupOf((event) => (later ? Promise.resolve(asJson(event)) : asJson(event))), fail);
        const newest = new Map<string, number>();
        for (const [n, step] of script.entries()) {
          if ('take' in step) await reader.take(step.take);
          else {
            const subject = String(step.offer);
            newest.set(subject, n);
            outbox.offer(subject, new EphemeralEvent({ subject, n }));
          }
        }
        await reader.take(script.length + 1);
        const told = new Map<string, number>();
        for (const { subject, n } of reader.got) {
          assert.ok(n > (told.get(subject) ?? -1), 'an older event followed a newer one');
          told.set(subject, n);
        }
        assert.deepEqual([...told].sort(), [...newest].sort());
      }),
      { numRuns: 60 },
    );
  });

  it('holds 100 subjects at the most: the oldest give way', async () => {
    const reader = new Reader();
    const outbox = new Outbox(reader, groupOf(asJson), fail);
    for (let n = 0; n < 250; n++) outbox.offer(String(n), new EphemeralEvent({ subject: String(n), n }));
    await reader.take(1_000);
    assert.deepEqual(reader.got.map(({ n }) => n), [...Array(100)].map((_, index) => 150 + index));
  });

  it('renders an event once for everybody of a group', () => {
    let rendered = 0;
    const count = (event: object) => {
      rendered++;
      return asJson(event);
    };
    const event = new EphemeralEvent({ subject: 'a', n: 1 });
    for (let i = 0; i < 3; i++) void event.for(groupOf(count));
    void event.for(groupOf(count, 'other'));
    assert.equal(rendered, 2);
  });

  it('tells of what could not be rendered, and goes on', async () => {
    const failed: string[] = [];
    const reader = new Reader();
    const render = (event: object) => {
      if ((event as { n: number }).n === 1) throw new Error('the database is away');
      return asJson(event);
    };
    const outbox = new Outbox(reader, groupOf(render), (_error, subject) => failed.push(subject));
    for (const n of [1, 2]) outbox.offer(`subject ${n}`, new EphemeralEvent({ subject: `subject ${n}`, n }));
    await reader.take(5);
    assert.deepEqual([failed, reader.got.map(({ n }) => n)], [['subject 1'], [2]]);
  });
});
