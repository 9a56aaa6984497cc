/** A `.wasm` import is a compiled module: on Workers it cannot come in any other way. */
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
