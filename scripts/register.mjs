// Runs TypeScript sources as they are: SWC strips the types and emits the decorator metadata that type-graphql and TypeORM want.
// SWC (not esbuild or Node's own type stripping) because only it knows decorators.
process.env.SWC_NODE_PROJECT ??= new URL('../tsconfig.json', import.meta.url).pathname;
await import('@swc-node/register/esm-register');
