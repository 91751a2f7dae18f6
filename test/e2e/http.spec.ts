import assert from 'node:assert/strict';
import { request } from 'node:http';
import { World, type Person } from '../testkit/world.js';
import { post, raw } from '../testkit/raw.js';

const WHO = '{ viewer { user { handle } } }';
const SAFE = { 'apollo-require-preflight': 'true' };

describe('HTTP', () => {
  let world: World;
  let ann: Person;
  before(async () => {
    world = await World.start({ settings: { CORS_ORIGINS: 'https://app.example', MAX_QUERY_DEPTH: '8', SECURITY_CONTACT: 'mailto:security@example.com' } });
    ann = await world.person('Ann');
  });
  after(() => world.stop());

  const bearer = () => ({ authorization: `Bearer ${ann.accessToken}` });

  it('answers a POST and a guarded GET alike', async () => {
    const posted = await post(world, { query: WHO }, bearer());
    const got = await raw(world, `/graphql?query=${encodeURIComponent(WHO)}`, { headers: { ...bearer(), ...SAFE } });
    for (const answer of [posted, got]) {
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json!.data, { viewer: { user: { handle: 'ann' } } });
    }
  });

  it('refuses what is not an operation, with a code and nothing else', async () => {
    const cases: [string, Promise<{ status: number; code: string | undefined }>, number, string][] = [
      ['malformed JSON', post(world, '{"query": '), 400, 'BAD_REQUEST'],
      ['a string', post(world, '"query"'), 400, 'BAD_REQUEST'],
      ['null', post(world, 'null'), 400, 'BAD_REQUEST'],
      ['an empty object', post(world, {}), 400, 'BAD_REQUEST'],
      ['a list of operations', post(world, [{ query: WHO }, { query: WHO }]), 400, 'BAD_REQUEST'],
      ['a query that is a number', post(world, { query: 1 }), 400, 'BAD_REQUEST'],
      ['variables that are a list', post(world, { query: WHO, variables: [] }), 400, 'BAD_REQUEST'],
      ['a poisoned prototype', post(world, '{"__proto__": {"x": 1}, "query": "{__typename}"}'), 400, 'BAD_REQUEST'],
      ['a syntax error', post(world, { query: '{ viewer' }), 400, 'GRAPHQL_PARSE_FAILED'],
      ['an unknown field', post(world, { query: '{ nothing }' }), 400, 'GRAPHQL_VALIDATION_FAILED'],
      ['an unknown operation name', post(world, { query: WHO, operationName: 'Other' }), 400, 'BAD_REQUEST'],
      ['an operation name that is none', post(world, { query: WHO, operationName: 'a b' }), 400, 'BAD_REQUEST'],
      ['an operation name without an end', post(world, { query: WHO, operationName: 'a'.repeat(257) }), 400, 'BAD_REQUEST'],
      ['a missing variable', post(world, { query: 'query($id: ID!) { chat(id: $id) { id } }' }), 400, 'INVALID_INPUT'],
      ['a subscription', post(world, { query: 'subscription { inboxEvents { __typename } }' }, bearer()), 400, 'BAD_REQUEST'],
      ['a forged token', post(world, { query: WHO }, { authorization: `Bearer ${ann.accessToken.slice(0, -4)}AAAA` }), 401, 'UNAUTHENTICATED'],
      ['a token of another kind', post(world, { query: WHO }, { authorization: 'Basic YTpi' }), 401, 'UNAUTHENTICATED'],
      ['a body that is too large', post(world, { query: WHO, variables: { x: 'x'.repeat(1_100_000) } }), 413, 'BAD_REQUEST'],
      ['a form', raw(world, '/graphql', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'query={__typename}' }), 415, 'BAD_REQUEST'],
      ['plain text', raw(world, '/graphql', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: JSON.stringify({ query: WHO }) }), 415, 'BAD_REQUEST'],
      ['multipart', raw(world, '/graphql', { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--x--' }), 415, 'BAD_REQUEST'],
      ['no type at all', raw(world, '/graphql', { method: 'POST' }), 400, 'BAD_REQUEST'],
      ['a GET that any page could send', raw(world, `/graphql?query=${encodeURIComponent(WHO)}`), 400, 'BAD_REQUEST'],
      ['a GET that runs a mutation', raw(world, `/graphql?query=${encodeURIComponent('mutation { signUp(input: {email: "a@b.co", password: "12345678", handle: "abc", displayName: "x"}) { accessToken } }')}`, { headers: SAFE }), 405, 'BAD_REQUEST'],
      ['a GET with two queries', raw(world, '/graphql?query={a}&query={b}', { headers: SAFE }), 400, 'BAD_REQUEST'],
      ['a GET with broken variables', raw(world, `/graphql?query=${encodeURIComponent(WHO)}&variables={`, { headers: SAFE }), 400, 'BAD_REQUEST'],
      ['an unknown path', raw(world, '/graph'), 404, 'NOT_FOUND'],
      ['an unknown method', raw(world, '/graphql', { method: 'DELETE' }), 404, 'NOT_FOUND'],
    ];
    for (const [what, answering, status, code] of cases) {
      const answer = await answering;
      assert.deepEqual([answer.status, answer.code], [status, code], what);
    }
    assert.deepEqual(await world.sql('select count(*)::int as n from users'), [{ n: 1 }]);
  });

  it('nobody’s request is taken for another’s, whatever they put where', async () => {
    for (const [index, named] of [false, true].entries()) {
      const [first, rest] = [`query Who${index} {`, 'viewer { user { handle } } }'];
      // What comes of these is kept; the honest one is another.
      await post(world, { query: rest, operationName: first }, bearer());
      await post(world, { query: `Who${index}\n${first}\n${rest}` }, bearer());
      const honest = { query: `${first}\n${rest}`, ...(named ? { operationName: `Who${index}` } : {}) };
      assert.equal((await post(world, honest, bearer())).status, 200);
    }
  });

  it('tells where in the document a mistake is', async () => {
    const { json } = await post(world, { query: '{\n  nothing\n}' });
    assert.deepEqual((json!.errors![0] as unknown as { locations: unknown }).locations, [{ line: 2, column: 3 }]);
  });

  it('an answer is JSON by name, in the type that was asked for', async () => {
    const plain = await post(world, { query: '{ viewer' });
    assert.match(plain.headers.get('content-type')!, /^application\/json/);
    const modern = await post(world, { query: '{ viewer' }, { accept: 'application/graphql-response+json' });
    assert.match(modern.headers.get('content-type')!, /^application\/graphql-response\+json/);
  });

  it('every answer carries the security headers and a request id; a sane one is the client’s own', async () => {
    for (const answer of [await post(world, { query: WHO }), await raw(world, '/nowhere'), await post(world, '{')]) {
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(answer.headers.get('x-frame-options'), 'DENY');
      assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
      assert.equal(answer.headers.get('strict-transport-security'), null);
      assert.match(answer.headers.get('x-request-id')!, /^[0-9a-f-]{36}$/);
    }
    assert.equal((await post(world, { query: WHO }, { 'x-request-id': 'trace-7' })).headers.get('x-request-id'), 'trace-7');
    assert.notEqual((await post(world, { query: WHO }, { 'x-request-id': 'a b"c' })).headers.get('x-request-id'), 'a b"c');
  });

  it('pages of allowed origins may read answers, others may not', async () => {
    const asked = (origin: string) => raw(world, '/graphql', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' } });
    const allowed = await asked('https://app.example');
    assert.equal(allowed.status, 204);
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example');
    assert.equal(allowed.headers.get('access-control-allow-headers'), 'authorization,content-type');
    assert.equal(allowed.headers.get('access-control-allow-credentials'), null);
    assert.equal((await asked('https://evil.example')).headers.get('access-control-allow-origin'), null);
    const answer = await post(world, { query: WHO }, { origin: 'https://app.example' });
    assert.match(answer.headers.get('access-control-expose-headers')!, /x-request-id/);
  });

  it('whom to tell of a hole stands where RFC 9116 says', async () => {
    const answer = await raw(world, '/.well-known/security.txt');
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'text/plain; charset=utf-8']);
    const told = Object.fromEntries(answer.text.trimEnd().split('\n').map((line) => line.split(': ') as [string, string]));
    assert.deepEqual(Object.keys(told), ['Contact', 'Expires']);
    assert.equal(told['Contact'], 'mailto:security@example.com');
    const days = (Date.parse(told['Expires']!) - world.clock.now().getTime()) / 86_400_000;
    assert.ok(days > 1 && days < 365, told['Expires']);
  });

  it('a socket is opened for its own and for allowed origins alone', async () => {
    const { host } = new URL(world.app.url);
    const upgrade = (path: string, origin?: string) =>
      new Promise<number>((resolve, reject) => {
        const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-protocol': 'graphql-transport-ws', ...(origin ? { origin } : {}) };
        const asking = request(`${world.app.url}${path}`, { headers });
        asking.on('upgrade', (response, socket) => {
          socket.destroy();
          resolve(response.statusCode!);
        });
        asking.on('response', (response) => {
          response.resume();
          resolve(response.statusCode!);
        });
        asking.on('error', reject);
        asking.end();
      });
    for (const path of ['/graphql', '/voice']) {
      assert.equal(await upgrade(path), 101, path);
      assert.equal(await upgrade(path, `http://${host}`), 101, path);
      assert.equal(await upgrade(path, 'https://app.example'), 101, path);
      assert.equal(await upgrade(path, 'https://evil.example'), 403, path);
      assert.equal(await upgrade(path, 'null'), 403, path);
    }
    assert.equal(await upgrade('/elsewhere'), 404);
    assert.equal(await upgrade('//'), 404);
  });
});

describe('HTTP without introspection', () => {
  let world: World;
  before(async () => (world = await World.start({ settings: { INTROSPECTION: 'false', GRAPHIQL: 'false' } })));
  after(() => world.stop());

  it('the schema is not told, names of types are', async () => {
    assert.equal((await post(world, { query: '{ __schema { types { name } } }' })).code, 'OPERATION_NOT_ALLOWED');
    assert.equal((await post(world, { query: '{ ...F } fragment F on Query { __type(name: "User") { name } }' })).code, 'OPERATION_NOT_ALLOWED');
    assert.deepEqual((await post(world, { query: '{ __typename }' })).json!.data, { __typename: 'Query' });
    assert.equal((await post(world, { query: '{ viewers { user { id } } }' })).json!.errors![0]!.message, 'Cannot query field "viewers" on type "Query".');
  });

  it('there is no security.txt where nobody is named to be told', async () => {
    assert.equal((await raw(world, '/.well-known/security.txt')).status, 404);
  });

  it('there is no GraphiQL', async () => {
    assert.equal((await raw(world, '/graphql', { headers: { accept: 'text/html' } })).status, 400);
  });
});
