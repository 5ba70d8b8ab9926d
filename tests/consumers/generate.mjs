// Writes TypeScript of the event with three generators into a folder; test_generated.py runs it.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , schemas, folder, packages] = process.argv;
// Installed beside the cache, not beside this file.
const require = createRequire(`${packages}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const schema = readFileSync(`${schemas}/sentiment-event.schema.json`, "utf8");

const { compileFromFile } = require("json-schema-to-typescript");
writeFileSync(`${folder}/json2ts.ts`, await compileFromFile(`${schemas}/sentiment-event.schema.json`));

const { InputData, JSONSchemaInput, FetchingJSONSchemaStore, quicktype } = await load("quicktype-core");
const input = new JSONSchemaInput(new FetchingJSONSchemaStore());
await input.addSource({ name: "SentimentEvent", schema });
const inputData = new InputData();
inputData.addInput(input);
const { lines } = await quicktype({ inputData, lang: "typescript" });
writeFileSync(`${folder}/quicktype.ts`, lines.join("\n"));

const { TypeScriptGenerator, TS_COMMON_PRESET } = require("@asyncapi/modelina");
// Classes that read and write JSON, for some names are not those on the wire (`reservedName`).
const presets = [{ preset: TS_COMMON_PRESET, options: { marshalling: true } }];
const options = { mapType: "record", enumType: "union", presets };
const document = JSON.parse(readFileSync(`${schemas}/asyncapi.json`, "utf8"));
const models = await new TypeScriptGenerator(options).generate(document);
writeFileSync(`${folder}/modelina.ts`, models.map((model) => `export ${model.result}`).join("\n\n"));
console.log(JSON.stringify(models.map((model) => model.modelName)));
