import { Extensions } from 'type-graphql';

/** The name of the bound in a field's `extensions`. */
export const AT_MOST = 'atMost';

/** Says how many items a list holds at the most, where that is not a page: what stands under it costs as often. */
export const AtMost = (items: number): MethodDecorator => Extensions({ [AT_MOST]: items }) as MethodDecorator;
