import { table } from './table.js';

/** One's own notifications and devices. */
export const NOTIFICATIONS = table(`
field                          nobody      expired     stranger    blocked     exMember    member      admin       moderator   owner
markNotificationsRead          sign-in     expired     ok          ok          ok          ok          ok          ok          ok
pushConfig                     ok          expired     ok          ok          ok          ok          ok          ok          ok
registerPushDevice             sign-in     expired     ok          ok          ok          ok          ok          ok          ok
unregisterPushDevice           sign-in     expired     not-found   not-found   not-found   not-found   not-found   not-found   ok
updateNotificationPreferences  sign-in     expired     ok          ok          ok          ok          ok          ok          ok
`);
