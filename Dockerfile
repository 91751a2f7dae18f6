# Another one, where there is no registry of images to take it from: `npm run image:try` makes one on the machine itself.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
# The lock first: packages are fetched anew only when it changes.
COPY package.json package-lock.json .npmrc ./
# The name of a media worker keeps mediasoup's own install step, which an older npm would run, from fetching or building one.
RUN MEDIASOUP_WORKER_BIN=none npm ci --no-audit --no-fund

# Takes minutes, and is done anew only when packages or the recipe change.
FROM packages AS worker
RUN apt-get update && apt-get install -y --no-install-recommends \
  g++ cmake ninja-build pkg-config libssl-dev libuv1-dev libsrtp2-dev libabsl-dev libflatbuffers-dev flatbuffers-compiler
COPY scripts/mediasoup-worker ./scripts/mediasoup-worker
RUN cmake -S scripts/mediasoup-worker -B /worker -G Ninja -DCMAKE_BUILD_TYPE=Release -DWORKER=/app/node_modules/mediasoup/worker && ninja -C /worker

FROM packages AS build
COPY tsconfig.json tsconfig.build.json ormconfig.ts ./
COPY src ./src
COPY migrations ./migrations
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE}
# In a container the port is published or not by whoever runs it, so listening on all addresses opens nothing by itself.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 DATA_DIR=/data MEDIA_LISTEN_IP=0.0.0.0 MEDIASOUP_WORKER_BIN=/usr/local/bin/mediasoup-worker
# What the media worker is linked to; ffmpeg records calls.
RUN apt-get update && apt-get install -y --no-install-recommends libssl3 libuv1 libsrtp2-1 libabsl20220623 ffmpeg && rm -rf /var/lib/apt/lists/*
WORKDIR /app
RUN install -d -o node -g node -m 0700 /data
COPY --from=worker /worker/mediasoup-worker /usr/local/bin/
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
VOLUME /data
EXPOSE 4000 4001
# As a load balancer sees it: /health says whether the server can serve.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# The server itself, with no shell or npm before it that would swallow the signal.
# Young objects get 48 MB instead of 16: what a request makes dies there instead of being moved on, which is a twentieth of all CPU.
CMD ["node", "--max-semi-space-size=48", "dist/src/main.js"]
