# By exact tags; who pulls them may write their digests (`docker inspect --format {{.RepoDigests}}`) beside these.
FROM swift:6.3.1-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpng-dev libpq-dev libqrencode-dev libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /taoyuan
COPY Package.* ./
RUN swift package resolve
COPY sql sql
# The package names its tests, so it does not build without them.
COPY Tests Tests
COPY Sources Sources
RUN swift build -c release --static-swift-stdlib --product taoyuan \
    && install .build/release/taoyuan /usr/local/bin/taoyuan

FROM debian:12.11-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libpng16-16 libpq5 libqrencode4 libssl3 \
        postgresql-client-15 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/taoyuan --shell /usr/sbin/nologin taoyuan \
    && install -d -m 700 -o taoyuan -g taoyuan /var/lib/taoyuan /var/lib/taoyuan/keys
COPY --from=build /usr/local/bin/taoyuan /usr/local/bin/taoyuan
USER taoyuan
WORKDIR /var/lib/taoyuan
ENV TAOYUAN_DATA_DIR=/var/lib/taoyuan TAOYUAN_HOST=0.0.0.0 TAOYUAN_PORT=8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["taoyuan", "health"]
ENTRYPOINT ["taoyuan"]
CMD ["serve"]
