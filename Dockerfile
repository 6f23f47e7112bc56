# Corral as an image: the single binary on a slim base, run by a user of its own, its data in /data.
#   docker build -t corral --build-arg COMMIT="$(git rev-parse --short HEAD)" .
# With an Ollama in it, which Corral then starts by itself: --build-arg BASE=ollama/ollama
ARG BASE=debian:bookworm-slim

FROM oven/bun:1.4.4 AS build
WORKDIR /src
COPY package.json bun.lock bunfig.toml ./
RUN bun install --frozen-lockfile
COPY . .
ARG COMMIT=""
RUN COMMIT="$COMMIT" bun run build

FROM ${BASE}
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin corral \
  && install --directory --owner corral --group corral --mode 0700 /data
COPY --from=build /src/dist/corral /usr/local/bin/corral
# OLLAMA_HOST: the Ollama that Corral starts is for Corral alone, whatever the base says.
ENV CORRAL_HOST=0.0.0.0 CORRAL_PORT=8000 CORRAL_DATA_DIR=/data OLLAMA_HOST=127.0.0.1:11434 HOME=/data
USER corral
VOLUME /data
EXPOSE 8000
# It drains for 8 s and is gone some 2 s later: give it `--stop-timeout 30`, Docker's 10 s are narrow.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=20s --retries=3 CMD ["corral", "health"]
ENTRYPOINT ["corral"]
CMD ["server"]
