import { join } from 'node:path';
import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { JobDeps } from './jobs/index.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import { AttachmentResolver, FileResolver, UploadPartResolver, UploadResolver, ViewerStorageResolver } from './resolvers/files.js';
import { DownloadService } from './services/files/downloads.js';
import { FileExaminer } from './services/files/file-examiner.js';
import { FileProcessor } from './services/files/file-processor.js';
import { FileRemoval } from './services/files/file-removal.js';
import { FileUrls } from './services/files/file-urls.js';
import { UploadService } from './services/files/uploads.js';
import { loadServerKey } from './services/refresh-tokens.js';
import { FolderStore } from './storage/folder-store.js';
import { S3Store } from './storage/s3-store.js';
import { Clamd } from './storage/scanner.js';
import type { ObjectStore } from './storage/store.js';

export interface FileDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  log: Logger;
  store: ObjectStore;
}

export interface Files {
  urls: FileUrls;
  uploads: UploadService;
  downloads: DownloadService;
  jobs: Pick<JobDeps, 'files' | 'fileRemoval'>;
  resolvers: object[];
}

/** The store that the settings choose. */
export function makeStore(config: Config): ObjectStore {
  const { S3_BUCKET: bucket, S3_REGION: region, S3_ENDPOINT: endpoint, S3_PUBLIC_ENDPOINT: publicEndpoint, S3_ACCESS_KEY: accessKey, S3_SECRET_KEY: secretKey, S3_PATH_STYLE: pathStyle } = config;
  if (bucket === undefined) return new FolderStore(join(config.DATA_DIR, 'store'));
  return new S3Store({ bucket, region, endpoint, publicEndpoint, accessKey: accessKey!, secretKey: secretKey!, pathStyle });
}

/** The part of the container that is about files: sending them, looking at them, handing them out, forgetting them. */
export async function makeFiles({ config, db, unitOfWork, clock, log, store }: FileDeps): Promise<Files> {
  const urls = new FileUrls({ key: await loadServerKey(db.sql, 'file-urls'), filesUrl: config.FILES_URL ?? null, cdnUrl: config.CDN_URL ?? null, ttlSeconds: config.FILE_URL_TTL });
  const scanner = config.CLAMD_URL === undefined ? null : new Clamd(config.CLAMD_URL);
  const files = new FileProcessor(db.background, unitOfWork, store, new FileExaminer(store, scanner), log);
  const uploads = new UploadService(db.sql, unitOfWork, store, urls, files, { fileBytes: config.MAX_FILE_BYTES, personBytes: config.FILE_QUOTA });
  return {
    urls,
    uploads,
    downloads: new DownloadService(db.sql, store),
    jobs: { files, fileRemoval: new FileRemoval(db.background, unitOfWork, clock, store) },
    resolvers: [new FileResolver(uploads, urls), new UploadResolver(), new UploadPartResolver(), new AttachmentResolver(), new ViewerStorageResolver(uploads)],
  };
}
