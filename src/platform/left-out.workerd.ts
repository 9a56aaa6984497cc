/**
 * Stands in the Worker's bundle for packages that the Resend SDK imports and that sending does not need: `wrangler.toml`
 * names them.
 */
class LeftOut {
  constructor() {
    throw new Error('Left out of the bundle');
  }
}

export { LeftOut as default, LeftOut as Webhook };
