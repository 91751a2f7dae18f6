/** Of each person so many who are nearest are kept. */
export const NEIGHBOURS = 30;

/** Who is less close than this (a cosine) is not near: they have nothing in common but what hashing words makes of them. */
export const NEAR = 0.1;
