import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const path = createRequire(import.meta.url).resolve('@phi-ag/argon2/argon2.wasm');

// The types are those of Workers, where a module cannot be made from bytes.
const module: WebAssembly.Module = Reflect.construct(WebAssembly.Module, [readFileSync(path)]);
export default module;
