/** The `AUTH_SECRET` of tests that do not say otherwise. */
export const testSecret = 'Wu+QmlDZxmNhBqRsSykxHTa0Sr4zdFxaqziHX4yyUWo=';
/** One that came before it, for tests that change the secret. */
export const olderSecret = '5kWTMNtcPkjjY13rBo8j+HAvziC6KZNZHU18r19fDRw=';
