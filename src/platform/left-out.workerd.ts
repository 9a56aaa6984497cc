/** Stands in the Worker's bundle for a package that the Resend SDK imports and that sending does not need: see `wrangler.toml`. */
export default class LeftOut {
  constructor() {
    throw new Error('Left out of the bundle');
  }
}
