/** Stretches of work that are told to whoever looks at traces. Where nobody does there is none of this: whoever has a `Spans | null` asks for null, and that is all it costs. */
export interface Spans {
  /** Runs work as a part of whatever is under way. Attributes are names and numbers, never what somebody said. */
  within<Result>(name: string, attributes: Readonly<Record<string, string | number>>, work: () => Promise<Result>): Promise<Result>;
}
