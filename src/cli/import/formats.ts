import { readAuth0 } from './auth0.ts';
import { readBetterAuth } from './better-auth.ts';
import { readFirebase } from './firebase.ts';
import type { ReadFormat } from './format.ts';
import { readKeycloak } from './keycloak.ts';
import { readKratos } from './kratos.ts';
import { readSupabase } from './supabase.ts';

/** Whole exports, as people have them. A format is a file and a line here. */
export const formats: Readonly<Record<string, ReadFormat>> = {
  keycloak: readKeycloak,
  auth0: readAuth0,
  firebase: readFirebase,
  supabase: readSupabase,
  'better-auth': readBetterAuth,
  kratos: readKratos,
};
