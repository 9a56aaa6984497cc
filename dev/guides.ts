import type { GuideName } from '../src/pages/guides.ts';

interface Guide {
  readonly title: string;
  /** One sentence for lists of the guides. */
  readonly about: string;
}

/** The pages of `docs/`, with what lists say of them. */
export const guides: Readonly<Record<GuideName, Guide>> = {
  index: { title: 'Documentation', about: 'All pages, each in a sentence.' },
  'quick-start': { title: 'Quick start', about: 'From a clone to your first user, token and protected service.' },
  'from-a-browser': {
    title: 'From a browser',
    about: 'Sign in, call your API and refresh tokens from a web page on another origin.',
  },
  'verifying-tokens': {
    title: 'Verifying tokens',
    about: 'Check access tokens in Hono, Express, Python or nginx.',
  },
  api: { title: 'The API', about: 'Registration, sign-in, sessions, profile, mail links and lists.' },
  administration: { title: 'Administration', about: 'The first admin, roles and permissions, and the admin API.' },
  configuration: { title: 'Configuration', about: 'Every variable, limit and lockout.' },
  secrets: { title: 'Secrets and keys', about: 'Replace the root secret, answer a leak, rotate signing keys.' },
  'deploy-workers': { title: 'Deploying to Cloudflare Workers', about: 'Neon or any Postgres, Upstash, Resend.' },
  'self-hosting': { title: 'Self-hosting', about: 'Docker Compose, TLS, releases, cores and shutdown.' },
  kubernetes: { title: 'Kubernetes', about: 'The Helm chart and plain manifests.' },
  backups: { title: 'Backups', about: 'Dump, restore, and what happens to sessions afterwards.' },
  observability: { title: 'Observability', about: 'Metrics, dashboard, alerts, traces and logs.' },
  troubleshooting: { title: 'Troubleshooting', about: 'Error messages, their causes and remedies.' },
  events: { title: 'Events', about: 'What the service tells other services, field by field.' },
  'event-sinks': { title: 'Event sinks', about: 'RabbitMQ, Cloudflare Queues, Redis streams and signed webhooks.' },
  'moving-users': { title: 'Importing users', about: 'Bring users and their password hashes from another system.' },
  moving: { title: 'Replacing an older service', about: 'Paths and variables of five older services that still work.' },
  security: { title: 'Security model', about: 'What is stored, who owns an address, and how abuse is limited.' },
  takeover: {
    title: 'Who owns an address',
    about: 'Who types an address, what stands there, who confirms, and who can sign in.',
  },
  architecture: { title: 'Architecture', about: 'How the code is organised, and why it works the way it does.' },
};
