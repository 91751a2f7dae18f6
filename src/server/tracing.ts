import { AsyncLocalStorage } from 'node:async_hooks';
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Context, type Tracer } from '@opentelemetry/api';
import type { Config } from '../config.js';
import { DomainError } from '../lib/errors.js';
import type { Spans } from '../lib/spans.js';

type Attributes = Readonly<Record<string, string | number>>;
type Settings = Pick<Config, 'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_SERVICE_NAME' | 'OTEL_TRACES_SAMPLER_ARG' | 'TRUST_PROXY'>;

/** Of W3C Trace Context. */
const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const MAX_WAITING = 4_096;

/**
 * Traces by OpenTelemetry's SDK, sent as OTLP over HTTP. Nothing is registered globally, and what is under way is known by this storage alone, so that the libraries that look
 * for a global tracer (a metrics client, a language model's) go on without.
 */
export class Tracing implements Spans {
  readonly #under = new AsyncLocalStorage<Context>();

  private constructor(
    private readonly tracer: Tracer,
    private readonly end: () => Promise<void>,
    /** Whoever stands before the server may say what a request belongs to, and that it is to be kept; anybody else may not. */
    private readonly trustsParents: boolean,
  ) {}

  /** Null unless the settings name where traces go: the SDK is not even loaded then. */
  static async start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: name, OTEL_TRACES_SAMPLER_ARG: ratio, TRUST_PROXY }: Settings): Promise<Tracing | null> {
    if (endpoint === undefined) return null;
    const [{ BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider }, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
      import('@opentelemetry/sdk-trace'), import('@opentelemetry/exporter-trace-otlp-http'), import('@opentelemetry/resources'),
    ]);
    const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: 5_000 });
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': name, 'process.pid': process.pid }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
      // What nobody takes is dropped: the server waits for no collector.
      spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: MAX_WAITING, scheduledDelayMillis: 2_000, exportTimeoutMillis: 5_000 })],
    });
    return new Tracing(provider.getTracer('omnitalk'), () => provider.shutdown(), TRUST_PROXY);
  }

  within<Result>(name: string, attributes: Attributes, work: () => Promise<Result>): Promise<Result> {
    return this.#run(name, SpanKind.INTERNAL, attributes, this.#under.getStore() ?? ROOT_CONTEXT, work);
  }

  /** A request from outside. */
  request<Result>(name: string, attributes: Attributes, traceparent: unknown, work: () => Promise<Result>): Promise<Result> {
    const given = this.trustsParents && typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null;
    const parent = given ? trace.setSpanContext(ROOT_CONTEXT, { traceId: given[1]!, spanId: given[2]!, traceFlags: Number.parseInt(given[3]!, 16) & TraceFlags.SAMPLED, isRemote: true }) : ROOT_CONTEXT;
    return this.#run(name, SpanKind.SERVER, attributes, parent, work);
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    await this.end().catch(() => undefined); // a collector that is away must not keep the server from stopping
  }

  #run<Result>(name: string, kind: SpanKind, attributes: Attributes, parent: Context, work: () => Promise<Result>): Promise<Result> {
    const span = this.tracer.startSpan(name, { kind, attributes }, parent);
    return this.#under.run(trace.setSpan(parent, span), async () => {
      try {
        return await work();
      } catch (error) {
        const code = error instanceof DomainError ? error.code : (error as Error).name;
        span.setAttribute('error.type', code);
        if (!(error instanceof DomainError)) span.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        span.end();
      }
    });
  }
}
