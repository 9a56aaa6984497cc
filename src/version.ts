import manifest from '../package.json' with { type: 'json' };

export const { version } = manifest;

/** As `npm ci` installs them: their versions are part of the paths under which browsers keep their files. */
export const docsVersions = {
  redoc: manifest.devDependencies.redoc,
  'swagger-ui-dist': manifest.devDependencies['swagger-ui-dist'],
};
