export { default } from '@phi-ag/argon2/argon2.wasm';
