import { table } from './table.js';

/** Endpoints are seen by whose they are alone. */
export const WEBHOOKS = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
createWebhook                  sign-in     expired     ok          ok          ok          ok          ok          ok          ok
deleteWebhook                  sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
redeliverWebhook               sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
updateWebhook                  sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
webhook                        sign-in     expired     null        null        null        null        null        null        ok
`);
