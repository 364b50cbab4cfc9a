# An image that holds flowproof and a browser, and runs as a normal user:
#   docker build -t flowproof . && docker run --rm -v "$PWD:/work" flowproof check -t target.yaml
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /flowproof ./cmd/flowproof

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates chromium-headless-shell tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 flowproof
COPY --from=build /flowproof /usr/local/bin/flowproof
USER flowproof
WORKDIR /work
ENTRYPOINT ["tini", "--", "flowproof"]
CMD ["--help"]
