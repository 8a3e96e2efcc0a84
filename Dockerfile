# Moonbridge as a container: docs/guide/container.md
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY console console
COPY scripts scripts
COPY simulator simulator
COPY src src
RUN npm run build

FROM ${BASE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=dev

FROM ${BASE}
# What belongs to the container and not to a config.json. 8 seconds: `docker stop` kills after 10.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=6867 \
    MOONBRIDGE_STORE=sqlite:/data/moonbridge.db \
    MOONBRIDGE_SERVER_SHUTDOWN_SECONDS=8
# The one folder that is written to. A new named volume takes its owner from here.
RUN mkdir /data && chown 1000:1000 /data
VOLUME /data
WORKDIR /app
COPY package.json LICENSE ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist/console dist/console
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/simulator dist/simulator
USER 1000:1000
EXPOSE 6867
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
    CMD ["node", "dist/src/cli/main.js", "health"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
