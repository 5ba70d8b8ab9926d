#!/usr/bin/env bash
# Makes a stand-in for the image that Dockerfile begins with, from Debian's own archive: for
# machines that reach Debian's packages and no image registry. Needs root and debootstrap.
#   base.sh NAME      as a Docker image of that name; nothing is done where it is there already
set -euo pipefail
name=$1
if docker image inspect "$name" >/dev/null 2>&1; then exit 0; fi
command -v debootstrap >/dev/null || { echo "debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" >"$root.log" 2>&1 ||
  { tail -n 5 "$root.log" >&2; exit 1; }
rm -rf "$root.log" "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
# A machine that looks into TLS has authorities of its own; the build must know them too.
if [ -r /etc/ssl/certs/ca-certificates.crt ]; then
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
fi
tar --directory "$root" --create . |
  docker import --change 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' - "$name" >/dev/null
echo "made $name"
