import assert from 'node:assert/strict';
import { ConfigError, describeSettings, loadConfig, redisOf } from './config.js';

describe('config', () => {
  it('has a default for everything', () => {
    const config = loadConfig({});
    assert.equal(config.PORT, 4000);
    assert.equal(config.HOST, '127.0.0.1');
    assert.equal(config.DATA_DIR, '.omnitalk');
    assert.equal(config.DATABASE_URL, undefined);
    assert.equal(config.REDIS_URL, undefined);
    assert.deepEqual(config.CORS_ORIGINS, []);
  });

  it('takes an empty value as not set', () => assert.equal(loadConfig({ PORT: '', REDIS_URL: '' }).PORT, 4000));

  it('reads lists and flags', () => {
    const config = loadConfig({ CORS_ORIGINS: 'https://a.example, https://b.example', GRAPHIQL: 'false' });
    assert.deepEqual(config.CORS_ORIGINS, ['https://a.example', 'https://b.example']);
    assert.equal(config.GRAPHIQL, false);
  });

  const wrong: Record<string, string[]> = {
    PORT: ['-1', '70000', 'http', '1.5'],
    DATABASE_URL: ['mysql://x', 'nonsense'],
    REDIS_URL: ['http://x'],
    REDIS_SENTINELS: ['host', 'host:0', 'a:1,b'],
    REDIS_NODES: ['http://host:6379', 'host:'],
    DATABASE_REPLICAS: ['mysql://x', 'host:5432'],
    REPLICA_WAIT: ['0', 'long'],
    LOG_LEVEL: ['loud'],
    JWT_SECRET: ['short'],
    ACCESS_TOKEN_TTL: ['0', 'soon'],
    TRUST_PROXY: ['yes'],
    MAX_QUERY_COST: ['1'],
    SMTP_URL: ['imap://x'],
    SECURITY_CONTACT: ['security@example.com', 'http://example.com/report', 'mailto:a@b\nContact: mailto:c@d'],
    WORKERS: ['0', '2.5', '65', 'all'],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      it(`refuses ${name}=${value} by name`, () => assert.throws(() => loadConfig({ [name]: value }), (error: Error) => error instanceof ConfigError && error.message.includes(`${name}: `)));
    }
  }

  it('names every mistake at once', () => {
    const env = Object.fromEntries(Object.entries(wrong).map(([name, [value]]) => [name, value]));
    assert.throws(
      () => loadConfig({ ...env, OIDC_ISSUER: 'https://id.example', PERSISTED_ONLY: 'true' }),
      (error: Error) => [...Object.keys(wrong), 'OIDC_JWKS_URL', 'OIDC_AUDIENCE', 'PERSISTED_OPERATIONS'].every((name) => error.message.includes(`${name}: `)),
    );
  });

  it('wants Redis as soon as more than one process serves', () => {
    assert.throws(() => loadConfig({ WORKERS: '2', PORT: '-1' }), (error: Error) => error instanceof ConfigError && /^ {2}REDIS_URL: needed beside WORKERS=2$/m.test(error.message) && /^ {2}PORT: /m.test(error.message));
    assert.equal(loadConfig({ WORKERS: '2', REDIS_URL: 'redis://x' }).WORKERS, 2);
    assert.equal(loadConfig({}).WORKERS, 1);
  });

  it('wants to know how Redis and replicas are reached, by one way', () => {
    const refuses = (given: Record<string, string>, mistake: RegExp) => assert.throws(() => loadConfig(given), (error: Error) => error instanceof ConfigError && mistake.test(error.message));
    refuses({ REDIS_SENTINELS: 'a:26379' }, /^ {2}REDIS_URL: needed beside REDIS_SENTINELS$/m);
    refuses({ REDIS_NODES: 'a:6379' }, /^ {2}REDIS_URL: needed beside REDIS_NODES$/m);
    refuses({ REDIS_URL: 'redis://x', REDIS_NODES: 'a:6379', REDIS_SENTINELS: 'a:26379' }, /^ {2}REDIS_NODES: not beside REDIS_SENTINELS$/m);
    refuses({ DATABASE_REPLICAS: 'postgres://x' }, /^ {2}DATABASE_URL: needed beside DATABASE_REPLICAS$/m);
    assert.equal(redisOf(loadConfig({})), null);
    assert.deepEqual(redisOf(loadConfig({ REDIS_URL: 'redis://x', REDIS_SENTINELS: 'a:26379, [::1]:26380' })), { url: 'redis://x', sentinels: ['a:26379', '[::1]:26380'], master: 'mymaster', nodes: [] });
  });

  it('describes every setting', () => {
    for (const { name, meaning } of describeSettings()) assert.ok(meaning.length > 10, `${name} has no description`);
  });
});
