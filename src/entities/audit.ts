/** What those who run the place, and what partners do in their own names, is written down as. Add yours; never rename one: rows keep it. */
export const AUDIT_ACTIONS = ['ROLE_SET', 'USER_SUSPENDED', 'USER_REINSTATED', 'NEWS_SOURCE_CREATED', 'NEWS_SOURCE_UPDATED', 'MODELS_RETRAINED', 'MODEL_ROLLED_BACK', 'DATA_EXPORT_REQUESTED', 'USER_ERASED', 'USER_ERASURE_FINISHED', 'MODERATION_RULES_SET', 'MODERATION_DECIDED', 'MODERATION_APPEALED', 'MEMBER_SILENCED', 'MEMBER_HEARD_AGAIN', 'MEMBER_BANNED', 'BAN_LIFTED', 'STRIKE_GIVEN'] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number] | (typeof PARTNER_ACTIONS)[number];

/** Those of partners. */
export const PARTNER_ACTIONS = ['APP_CREATED', 'APP_UPDATED', 'APP_PLAN_SET', 'APP_DELETED', 'APP_SECRET_ROTATED', 'APP_AUTHORIZED', 'API_KEY_CREATED', 'API_KEY_REVOKED'] as const;
