import { apiAuth } from './api-auth.ts';
import { apiV1 } from './api-v1.ts';
import { authSignup } from './auth-signup.ts';
import { flask } from './flask.ts';
import type { CompatName } from './names.ts';
import { premier } from './premier.ts';
import type { Table } from './table.ts';

export const compatApis: Readonly<Record<CompatName, Table>> = {
  'auth-signup': authSignup,
  flask,
  'api-v1': apiV1,
  premier,
  'api-auth': apiAuth,
};
