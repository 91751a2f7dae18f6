import { randomUUID } from 'node:crypto';
import type { Bus, BusHandler } from './bus.js';

/** Nobody has answered in time: the other process is gone, or too busy, or has never heard it. What it did is not known. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

interface Question {
  id: string;
  from: string;
  question: object;
}
/** Nobody waits any more for the answer to that question. */
interface Withdrawal {
  withdrawn: string;
}
interface Answer {
  id: string;
  answer?: unknown;
  /** What the other process threw, as its own words for it. */
  failure?: object;
}
interface Waiting {
  resolve(answer: unknown): void;
  reject(error: unknown): void;
  timer: NodeJS.Timeout;
}

export interface Responder {
  answer(question: object): Promise<unknown>;
  /** An error as JSON, and back again. */
  toFailure(error: unknown): object;
  fromFailure(failure: object): Error;
  /** The answer came when nobody waited for it any more: what was done for it is of no use, and nobody knows of it. */
  undo?(question: object, answer: unknown): void;
}

const MAX_WAITING = 10_000;
const questionsTo = (node: string): string => `ask:${node}`;
const answersTo = (node: string): string => `answer:${node}`;

/** Questions from one process to another over the bus, each answered once or given up after its time. */
export class Requests {
  readonly #waiting = new Map<string, Waiting>();
  /** Questions that are being answered here, and whether they have been withdrawn. */
  readonly #answering = new Map<string, { withdrawn: boolean }>();

  constructor(
    private readonly bus: Bus,
    private readonly node: string,
    private readonly responder: Responder,
  ) {}

  async start(): Promise<void> {
    await Promise.all([this.bus.subscribe(questionsTo(this.node), this.#onQuestion), this.bus.subscribe(answersTo(this.node), this.#onAnswer)]);
  }

  /** Rejects with NoAnswer, or with what the other process threw. */
  ask(node: string, question: object, timeoutMs: number): Promise<unknown> {
    if (this.#waiting.size >= MAX_WAITING) return Promise.reject(new NoAnswer('Too many questions wait for their answers.'));
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(id)?.reject(new NoAnswer(`No answer within ${timeoutMs} ms.`));
        this.bus.publish(questionsTo(node), { withdrawn: id } satisfies Withdrawal);
      }, timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      this.bus.publish(questionsTo(node), { id, from: this.node, question } satisfies Question);
    });
  }

  close(): void {
    this.bus.unsubscribe(questionsTo(this.node), this.#onQuestion);
    this.bus.unsubscribe(answersTo(this.node), this.#onAnswer);
    for (const id of [...this.#waiting.keys()]) this.#settle(id)!.reject(new NoAnswer('This process stops.'));
  }

  readonly #onQuestion: BusHandler = (message) => {
    if ('withdrawn' in message) {
      const asked = this.#answering.get((message as Withdrawal).withdrawn);
      if (asked) asked.withdrawn = true;
      return;
    }
    const { id, from, question } = message as Question;
    const asked = { withdrawn: false };
    // Of more than these it is not noted: what is made for nobody stays for as long as the seat then.
    if (this.#answering.size < MAX_WAITING) this.#answering.set(id, asked);
    const reply = (answer: Omit<Answer, 'id'>) => {
      this.#answering.delete(id);
      if (!asked.withdrawn) this.bus.publish(answersTo(from), { id, ...answer } satisfies Answer);
      else if (!answer.failure) this.responder.undo?.(question, answer.answer);
    };
    this.responder.answer(question).then(
      (answer) => reply({ answer }),
      (error: unknown) => reply({ failure: this.responder.toFailure(error) }),
    );
  };

  readonly #onAnswer: BusHandler = (message) => {
    const { id, answer, failure } = message as Answer;
    const waiting = this.#settle(id);
    if (failure) waiting?.reject(this.responder.fromFailure(failure));
    else waiting?.resolve(answer);
  };

  #settle(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting) clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }
}
