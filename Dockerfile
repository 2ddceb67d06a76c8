# The final image has the compiled code and its production dependencies, and runs as a user who can write to neither.
# `.ci/check-image-steps` carries these steps out without Docker; it knows the instructions used here and refuses others.

FROM node:24.21.0-bookworm-slim AS base
WORKDIR /app

FROM base AS build
COPY package.json package-lock.json ./
RUN npm ci --workspaces=false
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY migrations ./migrations
COPY src ./src
RUN npm run build

FROM base AS dependencies
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --workspaces=false
# npm keeps it as an optional peer of @nestjs/swagger, which needs it for nothing but its compiler plugin.
RUN rm -r node_modules/typescript node_modules/.bin/tsc node_modules/.bin/tsserver

FROM base AS final
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
ENV NODE_ENV=production
ENV HOST=0.0.0.0
USER node
# The application, and /metrics.
EXPOSE 8000 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 8000) + '/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Exec form: the process itself gets SIGTERM, with no shell or npm in between.
CMD ["node", "--max-semi-space-size=32", "dist/src/main.js"]
