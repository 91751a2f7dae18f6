/** Installs the packages whose commands are missing, where that is allowed (root on Debian); else throws, with the line to run. `packages` by their commands. */
export function bring(who: string, packages: Readonly<Record<string, string>>): void;
