# The worker, the scheduler and the server, and any other command: `docker run batuta doctor`. Flows are mounted at /app/flows or copied there.
# Without a digest a tag can be given to another image; with one it cannot: --build-arg NODE_IMAGE=node:22.x.y-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:22.21.1-bookworm-slim
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
COPY worker worker
COPY scheduler scheduler
COPY web web
RUN npm run build

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without scripts: all that is native comes built.
RUN npm ci --omit=dev --ignore-scripts

FROM ${NODE_IMAGE} AS run
ENV NODE_ENV=production BATUTA_HEALTH_FILE=/tmp/batuta-health
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
# What a container may write is .batuta (the database of SQLite, large results) and /tmp; all else belongs to root.
RUN mkdir -p .batuta flows \
  && chown node:node .batuta \
  && chmod +x dist/cli/main.js \
  && ln -s /app/dist/cli/main.js /usr/local/bin/batuta
USER node
VOLUME /app/.batuta
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["batuta", "health"]
# In exec form, so that SIGTERM reaches it: a worker finishes its runs or hands them back, and ends with status 0.
STOPSIGNAL SIGTERM
ENTRYPOINT ["batuta"]
CMD ["worker"]
