import { createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CopyObjectCommand, CreateMultipartUploadCommand, DeleteObjectsCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, ListPartsCommand,
  PutObjectCommand, S3Client, UploadPartCommand, type ListPartsCommandOutput, type Part,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { StoreError, type ObjectStore, type SignedPut, type UploadTerms } from './store.js';

export interface S3Options {
  bucket: string;
  region: string;
  /** Of a server that is not Amazon's. */
  endpoint?: string | undefined;
  /** How clients reach it, where that is another address. */
  publicEndpoint?: string | undefined;
  accessKey: string;
  secretKey: string;
  /** http://host/bucket/key instead of http://bucket.host/key. */
  pathStyle: boolean;
}

/** From this size on a file of this machine goes there in parts. */
const ONE_PIECE = 64 * 1024 * 1024;
const PART_BYTES = 16 * 1024 * 1024;
const CONNECT_MS = 5_000;
const ANSWER_MS = 60_000;
/** S3 deletes at most so many at once. */
const AT_ONCE = 1_000;
/** A week: the longest that S3 lets a signature live. */
const LONGEST_SECONDS = 604_800;

/** Any server that speaks S3. Clients send their bytes to it themselves. */
export class S3Store implements ObjectStore {
  readonly #client: S3Client;
  /** Signs for the address by which clients come. */
  readonly #signer: S3Client;
  readonly #bucket: string;

  constructor(options: S3Options) {
    const common = {
      region: options.region,
      credentials: { accessKeyId: options.accessKey, secretAccessKey: options.secretKey },
      forcePathStyle: options.pathStyle,
      // Checksums of our own are bound into what is signed; trailers that not every server understands are left out.
      requestChecksumCalculation: 'WHEN_REQUIRED' as const,
      responseChecksumValidation: 'WHEN_REQUIRED' as const,
      requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS },
      maxAttempts: 3,
    };
    const at = (endpoint: string | undefined) => new S3Client({ ...common, ...(endpoint ? { endpoint } : {}) });
    this.#client = at(options.endpoint);
    this.#signer = options.publicEndpoint ? at(options.publicEndpoint) : this.#client;
    this.#bucket = options.bucket;
  }

  async putFile(key: string, path: string, contentType: string): Promise<{ bytes: number }> {
    const { size } = await stat(path);
    const file = await open(path, 'r');
    try {
      if (size <= ONE_PIECE) await this.#ask(() => this.#client.send(new PutObjectCommand({ ...this.#at(key), Body: file.createReadStream({ autoClose: false, start: 0 }), ContentLength: size, ContentType: contentType })));
      else await this.#putParts(key, contentType, size, async (start, length) => {
        const piece = Buffer.allocUnsafe(length);
        let read = 0;
        while (read < length) read += (await file.read(piece, read, length - read, start + read)).bytesRead;
        return piece;
      });
    } finally {
      await file.close();
    }
    await rm(path, { force: true });
    return { bytes: size };
  }

  async put(key: string, body: Uint8Array, contentType: string): Promise<void> {
    await this.#ask(() => this.#client.send(new PutObjectCommand({ ...this.#at(key), Body: body, ContentLength: body.length, ContentType: contentType })));
  }

  async read(key: string, range?: { start: number; end: number }): Promise<Readable> {
    const { Body } = await this.#ask(() => this.#client.send(new GetObjectCommand({ ...this.#at(key), ...(range ? { Range: `bytes=${range.start}-${range.end}` } : {}) })));
    return Body as Readable;
  }

  async size(key: string): Promise<number | null> {
    try {
      return (await this.#ask(() => this.#client.send(new HeadObjectCommand(this.#at(key))))).ContentLength ?? 0;
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'MISSING') return null;
      throw error;
    }
  }

  async withFile<Result>(key: string, work: (path: string) => Promise<Result>): Promise<Result> {
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-s3-'));
    try {
      const path = join(folder, 'file');
      await pipeline(await this.read(key), createWriteStream(path));
      return await work(path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async move(from: string, to: string): Promise<void> {
    await this.#ask(() => this.#client.send(new CopyObjectCommand({ ...this.#at(to), CopySource: `${this.#bucket}/${from}` })));
    await this.remove([from]);
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += AT_ONCE) {
      const Objects = keys.slice(at, at + AT_ONCE).map((Key) => ({ Key }));
      const { Errors = [] } = await this.#ask(() => this.#client.send(new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } })));
      const failed = Errors.find(({ Code }) => Code !== 'NoSuchKey');
      if (failed) throw new StoreError('FAILED', `S3 did not delete ${failed.Key}: ${failed.Code}`);
    }
  }

  async removeAll(prefix: string): Promise<void> {
    for (;;) {
      const { Contents = [] } = await this.#ask(() => this.#client.send(new ListObjectsV2Command({ Bucket: this.#bucket, Prefix: `${prefix}/` })));
      if (!Contents.length) return;
      await this.remove(Contents.map(({ Key }) => Key!));
    }
  }

  async beginParts(key: string, contentType: string): Promise<string> {
    const { UploadId } = await this.#ask(() => this.#client.send(new CreateMultipartUploadCommand({ ...this.#at(key), ContentType: contentType })));
    return UploadId!;
  }

  async signPut(key: string, part: { uploadId: string; number: number } | null, { bytes, contentType, sha256 }: UploadTerms, expiresAt: Date): Promise<SignedPut> {
    const checksum = sha256 === null ? {} : { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') };
    const command = part
      ? new UploadPartCommand({ ...this.#at(key), UploadId: part.uploadId, PartNumber: part.number, ContentLength: bytes })
      : new PutObjectCommand({ ...this.#at(key), ContentLength: bytes, ContentType: contentType, ...checksum });
    const expiresIn = Math.max(1, Math.min(LONGEST_SECONDS, Math.floor((expiresAt.getTime() - Date.now()) / 1000)));
    // What stays a header is signed: the client can send no other length, type or bytes.
    const bound = new Set(['content-length', ...(part ? [] : ['content-type', ...(sha256 ? ['x-amz-checksum-sha256'] : [])])]);
    const url = await getSignedUrl(this.#signer as never, command as never, { expiresIn, signableHeaders: bound, unhoistableHeaders: bound });
    return { url, headers: part ? {} : { 'content-type': contentType, ...(checksum.ChecksumSHA256 ? { 'x-amz-checksum-sha256': checksum.ChecksumSHA256 } : {}) } };
  }

  async receive(): Promise<void> {
    throw new StoreError('MISSING', 'Bytes are sent to S3, not here.');
  }

  async partsOf(key: string, uploadId: string): Promise<number[]> {
    return (await this.#parts(key, uploadId)).map(({ PartNumber }) => PartNumber!);
  }

  async finishParts(key: string, uploadId: string, count: number): Promise<void> {
    const parts = await this.#parts(key, uploadId).catch(async (error: unknown) => {
      // By an earlier try, whose answer was lost.
      if (error instanceof StoreError && error.kind === 'MISSING' && (await this.size(key)) !== null) return null;
      throw error;
    });
    if (!parts) return;
    if (parts.length < count) throw new StoreError('MISSING', 'Not all parts have arrived.');
    await this.#complete(key, uploadId, parts);
  }

  async abortParts(key: string, uploadId: string): Promise<void> {
    await this.#ask(() => this.#client.send(new AbortMultipartUploadCommand({ ...this.#at(key), UploadId: uploadId }))).catch((error: unknown) => {
      if (!(error instanceof StoreError && error.kind === 'MISSING')) throw error;
    });
  }

  close(): void {
    this.#client.destroy();
    if (this.#signer !== this.#client) this.#signer.destroy();
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: key };
  }

  async #putParts(key: string, contentType: string, size: number, piece: (start: number, length: number) => Promise<Buffer>): Promise<void> {
    const uploadId = await this.beginParts(key, contentType);
    try {
      const parts: Part[] = [];
      for (let start = 0; start < size; start += PART_BYTES) {
        const body = await piece(start, Math.min(PART_BYTES, size - start));
        const PartNumber = parts.length + 1;
        const { ETag } = await this.#ask(() => this.#client.send(new UploadPartCommand({ ...this.#at(key), UploadId: uploadId, PartNumber, Body: body, ContentLength: body.length })));
        parts.push({ PartNumber, ETag });
      }
      await this.#complete(key, uploadId, parts);
    } catch (error) {
      await this.abortParts(key, uploadId).catch(() => undefined); // the bucket's own rule ends it
      throw error;
    }
  }

  async #complete(key: string, uploadId: string, parts: Part[]): Promise<void> {
    const Parts = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
    await this.#ask(() => this.#client.send(new CompleteMultipartUploadCommand({ ...this.#at(key), UploadId: uploadId, MultipartUpload: { Parts } })));
  }

  async #parts(key: string, uploadId: string): Promise<Part[]> {
    const parts: Part[] = [];
    let marker: string | undefined;
    do {
      const page: ListPartsCommandOutput = await this.#ask(() => this.#client.send(new ListPartsCommand({ ...this.#at(key), UploadId: uploadId, ...(marker ? { PartNumberMarker: marker } : {}) })));
      parts.push(...(page.Parts ?? []));
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
    return parts;
  }

  async #ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    try {
      return await question();
    } catch (error) {
      const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      if (name === 'NoSuchKey' || name === 'NotFound' || name === 'NoSuchUpload' || ($metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket')) throw new StoreError('MISSING', 'There is no such object.', { cause: error });
      if ($metadata?.httpStatusCode === 507 || /quota|storage.*full|XMinioStorageFull/i.test(`${name} ${message}`)) throw new StoreError('FULL', message, { cause: error });
      throw new StoreError('FAILED', `S3: ${name}: ${message}`, { cause: error });
    }
  }
}
