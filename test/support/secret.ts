/** The `AUTH_SECRET` of tests that do not say otherwise. */
export const testSecret = 'test-secret-test-secret-test-secret-1';
