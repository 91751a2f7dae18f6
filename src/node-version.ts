// Imported before all else: what the others import does not load under an older Node, and says so in words that help nobody.
const WANTED = 24;

if (Number(process.versions.node.split('.')[0]) < WANTED) {
  process.stderr.write(`OmniTalk needs Node ${WANTED} or newer, and this is ${process.version}. \`npm start\` brings its own.\n`);
  process.exit(1);
}
