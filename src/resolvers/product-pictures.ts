import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { FileType } from '../schema/file.js';
import { ProductPictureType } from '../schema/product.js';
import { avatarFileId } from '../services/files/avatars.js';
import type { FileUrls } from '../services/files/file-urls.js';
import { fileById, type FileRow } from '../services/loaders/files.js';
import type { Context } from './context.js';

/** What stands in a column of pictures. */
export interface Picture {
  picture: string;
}

/** What a product shows is READY, and stays while it shows it: its link needs no look at the file. */
export function pictureUrl(urls: FileUrls, picture: string, now: Date): string {
  const id = avatarFileId(picture);
  return id === null ? picture : urls.of({ id }, 'original', now);
}

@Resolver(() => ProductPictureType)
export class ProductPictureResolver {
  constructor(private readonly urls: FileUrls) {}

  @FieldResolver(() => String, { description: 'Of a file: for some hours, then ask again.' })
  url(@Root() { picture }: Picture, @Ctx() context: Context): string {
    return pictureUrl(this.urls, picture, context.now);
  }

  @FieldResolver(() => FileType, { nullable: true, description: 'Null where it is an address elsewhere.' })
  file(@Root() { picture }: Picture, @Ctx() context: Context): Promise<FileRow | null> | null {
    const id = avatarFileId(picture);
    return id === null ? null : context.load(fileById, id);
  }
}
