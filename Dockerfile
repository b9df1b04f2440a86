# Canopy for server mode. The embedded ClickHouse is not in this image: give it a server's address (docker-compose.yml does).

FROM node:20-bookworm-slim AS pages
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY web ./
RUN npm run build

FROM golang:1.26-bookworm AS program
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=pages /src/web/dist web/dist
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -o /canopy ./cmd/canopy && mkdir /empty

FROM debian:bookworm-slim
COPY --from=program /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=program /canopy /usr/local/bin/canopy
COPY LICENSE NOTICE /usr/share/doc/canopy/
COPY --from=program --chown=10001:10001 /empty /data
USER 10001:10001
ENV CANOPY_DATA=/data CANOPY_LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["canopy"]
CMD ["serve"]
