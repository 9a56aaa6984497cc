import { docsVersions } from '../version.ts';

const script = 'text/javascript; charset=utf-8';
const text = 'text/plain; charset=utf-8';

/** The files of other people's packages that the pages of the documentation load, with the licences they come under. */
const packages = {
  'swagger-ui-dist': {
    'swagger-ui.css': 'text/css; charset=utf-8',
    'swagger-ui-bundle.js': script,
    'swagger-ui-bundle.js.LICENSE.txt': text,
    LICENSE: text,
    NOTICE: text,
  },
  redoc: { 'bundles/redoc.standalone.js': script, 'bundles/redoc.standalone.js.LICENSE.txt': text, LICENSE: text },
} as const;

export interface DocsFile {
  /** Where it is below `dist/docs`, and below `/docs`: another version has another path. */
  readonly path: string;
  readonly package: keyof typeof packages;
  /** Where it is in the package. */
  readonly source: string;
  readonly type: string;
}

const directoryOf = (name: keyof typeof packages) => `${name}-${docsVersions[name]}`;

const filesOf = (name: keyof typeof packages): DocsFile[] =>
  Object.entries(packages[name]).map(([source, type]) => ({
    path: `${directoryOf(name)}/${source.replace(/^.*\//, '')}`,
    package: name,
    source,
    type,
  }));

/** All of them: what is not in this list is neither copied nor served. */
export const docsFiles: readonly DocsFile[] = [...filesOf('swagger-ui-dist'), ...filesOf('redoc')];

export const swaggerUi = directoryOf('swagger-ui-dist');
export const redoc = directoryOf('redoc');
