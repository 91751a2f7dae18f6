import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fails, World } from '../testkit/world.js';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: { key: string; value: { stringValue?: string } }[];
}

describe('traces', function () {
  this.timeout(60_000);

  it('tell of a request, its operation, its write and its statements as one, joined with the log by the request’s id, and of nothing that anybody said', async () => {
    const spans: Span[] = [];
    const bodies: string[] = [];
    // A collector, as far as OTLP over HTTP asks for one.
    const collector = createServer((request, response) => {
      void text(request).then((body) => {
        assert.equal(request.url, '/v1/traces');
        bodies.push(body);
        spans.push(...(JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    collector.listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const world = await World.start({ settings: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`, TRUST_PROXY: 'true', JOBS: 'false' } });
    const [traceId, parent] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    try {
      const ann = await world.person('Ann');
      const query = 'mutation Rename($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }';
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${ann.accessToken}`, 'x-request-id': 'the-request', traceparent: `00-${traceId}-${parent}-01` };
      const answer = await fetch(`${world.app.url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables: { input: { about: 'a very private thing' } } }) });
      assert.equal(answer.status, 200);
      await fails(ann.api.updateProfile({ input: { handle: '!' } }), 'INVALID_INPUT', 'handle');
    } finally {
      await world.stop();
      collector.close();
    }
    const mine = spans.filter((span) => span.traceId === traceId);
    const child = (of: string, name: string) => mine.find((span) => span.parentSpanId === of && span.name === name);
    const request = child(parent, 'POST /graphql');
    const operation = child(request!.spanId, 'mutation Rename');
    const write = child(operation!.spanId, 'write updateProfile');
    const statement = child(write!.spanId, 'sql');
    const of = (span: Span | undefined, key: string) => span!.attributes.find((attribute) => attribute.key === key)?.value.stringValue;
    assert.deepEqual([of(request, 'omnitalk.request_id'), of(operation, 'omnitalk.request_id')], ['the-request', 'the-request']);
    assert.match(of(statement, 'db.query.text')!, /^select .* from users where id = \$1/);
    for (const secret of ['a very private thing', 'password of ann', 'ann@example.com']) assert.ok(!bodies.some((body) => body.includes(secret)), secret);
  });

  it('are not made where nobody takes them, and a collector that is away holds up nobody', async () => {
    const world = await World.start({ settings: { JOBS: 'false' } });
    assert.deepEqual([world.app.container.tracing, world.app.container.db.spans], [null, null]);
    await world.stop();
    const away = await World.start({ settings: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', JOBS: 'false' } });
    await away.person('Ann');
    await away.stop();
  });
});
