const MARK = '@@';
const DIGITS = 8;
/** About a hundred bytes in all: a line of chat. */
const FILLER = ' see you at the station at half past six, bring the tickets and an umbrella, it may rain';

export interface Latencies {
  p50: number;
  p99: number;
}

/**
 * Keeps account of every message and every receiver: a run is only worth its figures when each message has reached each
 * receiver exactly once, and in order where the server promises one.
 */
export class Tally {
  readonly #sentAt: Float64Array;
  readonly #missing: Int32Array;
  #latencies: number[] = [];
  #next = 0;
  deliveries = 0;
  /** The first thing that went wrong. */
  fault: Error | null = null;
  /** Called when a message has reached everybody. */
  onDone: (index: number) => void = () => undefined;

  constructor(readonly capacity: number) {
    this.#sentAt = new Float64Array(capacity);
    this.#missing = new Int32Array(capacity);
  }

  /** The text of one more message, to be sent at once to so many receivers. */
  message(receivers: number): string {
    const index = this.#next++;
    if (index >= this.capacity) throw new Error(`a tally of ${this.capacity} messages is full`);
    this.#missing[index] = receivers;
    this.#sentAt[index] = performance.now();
    return MARK + String(index).padStart(DIGITS, '0') + MARK + FILLER;
  }

  receiver(): Receiver {
    return new Receiver(this);
  }

  /** Milliseconds since the last call; forgets them. */
  takeLatencies(): Latencies {
    const sorted = Float64Array.from(this.#latencies).sort();
    this.#latencies = [];
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99) };
  }

  arrived(index: number): void {
    this.deliveries++;
    this.#latencies.push(performance.now() - this.#sentAt[index]!);
    const missing = --this.#missing[index]!;
    if (missing === 0) this.onDone(index);
    else if (missing < 0) this.fault ??= new Error(`message ${index} arrived once too often`);
  }

  get sent(): number {
    return this.#next;
  }
}

/** One subscriber's view: sees that nothing comes twice, and that numbers are consecutive where there are any. */
export class Receiver {
  readonly #seen: Uint8Array;
  #lastNumber = 0;

  constructor(private readonly tally: Tally) {
    this.#seen = new Uint8Array(tally.capacity);
  }

  /** Takes the message whose text lies in these bytes; returns false when they hold none. */
  take(buffer: Buffer, start: number, end: number): boolean {
    const mark = buffer.indexOf(MARK, start, 'latin1');
    if (mark < 0 || mark >= end) return false;
    const index = digits(buffer, mark + MARK.length, DIGITS);
    if (this.#seen[index]) this.tally.fault ??= new Error(`a subscriber got message ${index} twice`);
    this.#seen[index] = 1;
    this.tally.arrived(index);
    return true;
  }

  /** The server's own number of what came: must be the last one plus one. */
  inOrder(number: number): void {
    if (this.#lastNumber && number !== this.#lastNumber + 1) this.tally.fault ??= new Error(`a subscriber got number ${number} after ${this.#lastNumber}`);
    this.#lastNumber = number;
  }

  get lastNumber(): number {
    return this.#lastNumber;
  }
}

function digits(buffer: Buffer, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) value = value * 10 + (buffer[at]! - 48);
  return value;
}

/** Reads the decimal number at a place. */
export function numberAt(buffer: Buffer, from: number): number {
  let value = 0;
  for (let at = from; buffer[at]! >= 48 && buffer[at]! <= 57; at++) value = value * 10 + (buffer[at]! - 48);
  return value;
}
