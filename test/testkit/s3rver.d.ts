/** What the tests use of s3rver, which brings no types. */
declare module 's3rver' {
  import type { RequestListener } from 'node:http';

  export default class S3rver {
    constructor(options: { address: string; port: number; silent: boolean; directory: string; configureBuckets: { name: string }[] });
    readonly store: { getResourcePath(bucket: string, key: string | undefined, resource: string): string };
    configureBuckets(): Promise<unknown>;
    callback(): RequestListener;
  }
}
