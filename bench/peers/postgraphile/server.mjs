// PostGraphile 5 on the peers' tables: a GraphQL field is a step of one planned SQL query. Tokens are checked, as ours are.
import { createSecretKey } from 'node:crypto';
import { createServer } from 'node:http';
import jwt from 'jsonwebtoken';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';

const { PORT, DATABASE_URL, TOKEN_SECRET } = process.env;
const key = createSecretKey(Buffer.from(TOKEN_SECRET));
const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: DATABASE_URL, schemas: ['peers'], poolConfig: { max: 10 } })],
  grafserv: { watch: false, graphiql: false, graphqlPath: '/graphql' },
  grafast: {
    explain: false,
    context: ({ node }) => ({ userId: jwt.verify((node?.req.headers.authorization ?? '').slice('Bearer '.length), key, { algorithms: ['HS256'] }).sub }),
  },
  schema: { defaultBehavior: '+list' },
});
const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
