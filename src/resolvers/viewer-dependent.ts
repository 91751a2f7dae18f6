import { Extensions } from 'type-graphql';

/** The name of the mark in a field's `extensions`. */
export const VIEWER_DEPENDENT = 'viewerDependent';

/**
 * Marks a field whose value depends on who asks. A subscription that selects one is executed for each viewer; every
 * other is executed once for all. Forgetting the mark is an error, not a leak: a shared execution has no viewer.
 */
export const ViewerDependent = (): MethodDecorator => Extensions({ [VIEWER_DEPENDENT]: true }) as MethodDecorator;
