import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import S3rver from 's3rver';

export const S3_KEYS = { accessKey: 'S3RVER', secretKey: 'S3RVER' };

/**
 * A server that speaks S3, on loopback: s3rver. It lacks two calls of uploads in parts, ListParts and AbortMultipartUpload; those are answered here, from its own files. It does
 * not compare a signed length or checksum with what comes: that Amazon's does is not shown by it.
 */
export async function startS3(folder: string, bucket: string): Promise<{ endpoint: string; stop(): Promise<void> }> {
  const s3 = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory: folder, configureBuckets: [{ name: bucket }] });
  await s3.configureBuckets();
  const answer = s3.callback();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://s3');
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
