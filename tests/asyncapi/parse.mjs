// Prints what AsyncAPI's own parser finds in a document, as JSON; tests/reference/test_asyncapi.py runs it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , document, packages] = process.argv;
// Installed beside the cache, not beside this file.
const { Parser } = createRequire(`${packages}/`)("@asyncapi/parser");
const { document: parsed, diagnostics } = await new Parser().parse(readFileSync(document, "utf8"));
console.log(
  JSON.stringify({
    operations: parsed?.operations().all().map((o) => `${o.action()} ${o.channels().all()[0].address()}`),
    diagnostics: diagnostics.map(({ code, message, path }) => ({ code, message, path })),
  }),
);
