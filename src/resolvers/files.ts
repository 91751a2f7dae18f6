import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { VariantName } from '../entities/file.js';
import { decodeId, encodeId } from '../lib/ids.js';
import {
  AttachmentType, CompleteUploadInput, CompleteUploadPayload, CreateUploadInput, CreateUploadPayload, FileType, StorageUseType, UploadHeaderType, UploadPartType, UploadType,
} from '../schema/file.js';
import { ViewerType } from '../schema/viewer.js';
import { avatarFileId } from '../services/files/avatars.js';
import type { FileUrls } from '../services/files/file-urls.js';
import type { Upload, UploadPart, UploadService } from '../services/files/uploads.js';
import { fileById, type FileRow } from '../services/loaders/files.js';
import type { Context, Viewer } from './context.js';

/** A file of ours; or a picture elsewhere, which is its address alone. */
export type ShownFile = FileRow | { outside: string };

const own = <Name extends keyof FileRow>(file: ShownFile, name: Name): FileRow[Name] | null => ('outside' in file ? null : file[name]);

@Resolver(() => FileType)
export class FileResolver {
  constructor(
    private readonly uploads: UploadService,
    private readonly urls: FileUrls,
  ) {}

  @Query(() => FileType, { nullable: true, description: 'One of the viewer’s own files, or null.' })
  file(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<FileRow | null> {
    context.requireViewer();
    return this.uploads.find(context, decodeId('File', id));
  }

  @Query(() => UploadType, { nullable: true, description: 'What is still to be sent of an upload of the viewer’s: to go on where it was left. Null when nothing is.' })
  async upload(@Arg('fileId', () => ID) fileId: string, @Ctx() context: Context): Promise<Upload | null> {
    context.requireViewer();
    const file = await this.uploads.find(context, decodeId('File', fileId, 'fileId'));
    return file && this.uploads.left(file);
  }

  @Mutation(() => CreateUploadPayload, { description: 'Begins to upload a file. Send the bytes where `upload` says, then `completeUpload`.' })
  async createUpload(@Arg('input', () => CreateUploadInput) { voice, ...input }: CreateUploadInput, @Ctx() context: Context): Promise<{ file: FileRow; upload: Upload | null }> {
    const file = await this.uploads.create(context.requireViewer(), { ...input, voice: voice ?? false });
    return { file, upload: await this.uploads.left(file) };
  }

  @Mutation(() => CompleteUploadPayload, { description: 'All bytes have been sent: they are looked at, and the file is made ready. A repeat answers the file as it is.' })
  async completeUpload(@Arg('input', () => CompleteUploadInput) { fileId }: CompleteUploadInput, @Ctx() context: Context): Promise<{ file: FileRow }> {
    return { file: await this.uploads.complete(context.requireViewer(), decodeId('File', fileId, 'fileId')) };
  }

  @FieldResolver(() => ID, { nullable: true })
  id(@Root() file: ShownFile): string | null {
    return 'outside' in file ? null : encodeId('File', file.id);
  }

  @FieldResolver(() => String, { nullable: true, description: 'Where it is fetched, with ranges if need be: for some hours, then ask again. Null unless READY.' })
  url(@Root() file: ShownFile, @Ctx() context: Context): string | null {
    if ('outside' in file) return file.outside;
    return file.state === 'READY' ? this.urls.of(file, 'original', context.now) : null;
  }

  @FieldResolver(() => String, { nullable: true, description: 'A smaller picture (WebP, its longer edge 480 pixels at the most); of a video its poster.' })
  thumbnailUrl(@Root() file: ShownFile, @Ctx() context: Context): string | null {
    return this.#variant(file, 'thumbnail', context);
  }

  @FieldResolver(() => String, { nullable: true, description: 'Of a video, a rendition that every browser plays (MP4): made after it is READY, where it is needed.' })
  playbackUrl(@Root() file: ShownFile, @Ctx() context: Context): string | null {
    return this.#variant(file, 'playback', context);
  }

  @FieldResolver(() => [Int], { nullable: true, description: 'Of sound: how loud it is along its length, 0 to 255.' })
  waveform(@Root() file: ShownFile): number[] | null {
    const waveform = own(file, 'waveform');
    return waveform && [...waveform];
  }

  #variant(file: ShownFile, name: VariantName, context: Context): string | null {
    return 'outside' in file || file.state !== 'READY' || !file.variants?.[name] ? null : this.urls.of(file, name, context.now);
  }
}

const headersOf = (headers: Record<string, string>): UploadHeaderType[] => Object.entries(headers).map(([name, value]) => ({ name, value }));

@Resolver(() => UploadType)
export class UploadResolver {
  @FieldResolver()
  url(@Root() { whole }: Upload): string | null {
    return whole?.url ?? null;
  }

  @FieldResolver(() => [UploadHeaderType])
  headers(@Root() { whole }: Upload): UploadHeaderType[] {
    return headersOf(whole?.headers ?? {});
  }
}

@Resolver(() => UploadPartType)
export class UploadPartResolver {
  @FieldResolver(() => [UploadHeaderType])
  headers(@Root() { headers }: UploadPart): UploadHeaderType[] {
    return headersOf(headers);
  }
}

@Resolver(() => AttachmentType)
export class AttachmentResolver {
  @FieldResolver()
  file(@Root() { id }: { id: string }, @Ctx() context: Context): FileRow | Promise<FileRow | null> {
    return context.peek(fileById, id) ?? context.load(fileById, id);
  }
}

@Resolver(() => ViewerType)
export class ViewerStorageResolver {
  constructor(private readonly uploads: UploadService) {}

  @FieldResolver(() => StorageUseType)
  storage(@Root() viewer: Viewer): Promise<StorageUseType> {
    return this.uploads.usage(viewer.userId);
  }
}

/** The file that an input names as an avatar, by its key. */
export const avatarInput = ({ avatarFileId: id }: { avatarFileId?: string | null }): { avatarFileId?: string | null } =>
  id == null ? {} : { avatarFileId: decodeId('File', id, 'avatarFileId') };

/** A picture that somebody shows of themself, a chat or a group: one of our files, or an address elsewhere. */
export function avatarFile(avatarUrl: string | null, context: Context): ShownFile | null | Promise<ShownFile | null> {
  if (avatarUrl === null) return null;
  const id = avatarFileId(avatarUrl);
  if (id === null) return { outside: avatarUrl };
  return context.peek(fileById, id) ?? context.load(fileById, id);
}
