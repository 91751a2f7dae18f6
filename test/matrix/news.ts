import { table } from './table.js';

/** News are for everybody who is signed in; sources are an administrator's. */
export const NEWS = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
bookmarkArticle                sign-in     expired     ok          ok          ok          ok          ok          ok          ok
markArticleRead                sign-in     expired     ok          ok          ok          ok          ok          ok          ok
news                           sign-in     expired     ok          ok          ok          ok          ok          ok          ok
newsArticle                    sign-in     expired     ok          ok          ok          ok          ok          ok          ok
newsPublished                  sign-in     expired     ok          ok          ok          ok          ok          ok          ok
newsSources                    sign-in     expired     ok          ok          ok          ok          ok          ok          ok
removeArticleBookmark          sign-in     expired     ok          ok          ok          ok          ok          ok          ok
shareArticle                   sign-in     expired     not-found   ok          not-found   ok          ok          not-found   ok
summarizeArticle               sign-in     expired     ok          ok          ok          ok          ok          ok          ok
`);
