export const LEVELS = ['BEGINNER', 'INTERMEDIATE', 'ADVANCED', 'EXPERT'] as const;
export type Level = (typeof LEVELS)[number];

/** What a learner's rating is called. */
export const levelOf = (rating: number): Level => LEVELS[rating < 1_000 ? 0 : rating < 1_200 ? 1 : rating < 1_400 ? 2 : 3];
