import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import S3rver from 's3rver';

export const S3_KEYS = { accessKey: 'S3RVER', secretKey: 'S3RVER' };

/**
 * A server that speaks S3, on loopback: s3rver. What it lacks is done here: it compares no signature of version 4, so that those of addresses to PUT to are compared before it sees them; and it has
 * neither ListParts nor AbortMultipartUpload, which are answered from its own files. Nobody here compares the bytes with their signed checksum, as Amazon's does.
 */
export async function startS3(folder: string, bucket: string): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const s3 = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: folder, configureBuckets: [{ name: bucket }] });
  await s3.configureBuckets();
  const answer = s3.callback();
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://s3');
    const { pathname, searchParams } = url;
    if (request.method === 'PUT' && searchParams.has('X-Amz-Signature') && !isSigned(request, url)) {
      request.resume();
      return void response.writeHead(403, { 'content-type': 'application/xml', connection: 'close' }).end('<Error><Code>SignatureDoesNotMatch</Code><Message>another request was signed</Message></Error>');
    }
    const uploadId = searchParams.get('uploadId');
    if (uploadId === null || (request.method !== 'GET' && request.method !== 'DELETE')) return void answer(request, response);
    const uploads = s3.store.getResourcePath(bucket, undefined, 'uploads');
    const upload = join(uploads, uploadId);
    const done = request.method === 'GET' ? listParts(upload, pathname, response) : rm(upload, { recursive: true }).then(() => void response.writeHead(204).end());
    done.catch(() => void response.writeHead(404, { 'content-type': 'application/xml' }).end('<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** As Amazon describes it: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)". */
function isSigned(request: IncomingMessage, { pathname, searchParams }: URL): boolean {
  const encoded = (text: string) => encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = [...searchParams].filter(([name]) => name !== 'X-Amz-Signature').map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort();
  const signedHeaders = searchParams.get('X-Amz-SignedHeaders')!;
  const headers = signedHeaders.split(';').map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`);
  const canonical = [request.method, pathname, query.join('&'), headers.join(''), signedHeaders, 'UNSIGNED-PAYLOAD'].join('\n');
  const [, ...scope] = searchParams.get('X-Amz-Credential')!.split('/');
  const toSign = ['AWS4-HMAC-SHA256', searchParams.get('X-Amz-Date'), scope.join('/'), createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = scope.reduce<string | Buffer>((before, part) => createHmac('sha256', before).update(part).digest(), `AWS4${S3_KEYS.secretKey}`);
  return createHmac('sha256', key).update(toSign).digest('hex') === searchParams.get('X-Amz-Signature');
}

async function listParts(upload: string, path: string, response: ServerResponse<IncomingMessage>): Promise<void> {
  const numbers = (await readdir(upload)).filter((name) => /^\d+$/.test(name)).map(Number).sort((a, b) => a - b);
  const parts = await Promise.all(
    numbers.map(async (number) => {
      const body = await readFile(join(upload, String(number)));
      return `<Part><PartNumber>${number}</PartNumber><ETag>"${createHash('md5').update(body).digest('hex')}"</ETag><Size>${body.length}</Size></Part>`;
    }),
  );
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><ListPartsResult><Key>${path}</Key><IsTruncated>false</IsTruncated>${parts.join('')}</ListPartsResult>`);
}
