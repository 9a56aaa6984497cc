#!/usr/bin/env bash
# deploy/backup.sh: writes one encrypted dump of the database, and deletes those that are old. With BACKUP_INTERVAL it
# does so again and again, every so many seconds. It runs in the image of Postgres.
#   DATABASE_URL or DATABASE_URL_FILE   of the owner of the tables
#   BACKUP_CERTIFICATE                  PEM file: who holds its private key can read the dumps, and nobody else
#   BACKUP_DIRECTORY (/backups)         where they go
#   BACKUP_KEEP_DAYS (14)               how long they stay; the newest stays in any case
# Make the key once, and keep it elsewhere:
#   $ openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj /CN=edge-auth-backup -keyout backup_key.pem -out deploy/secrets/backup_certificate.pem
# To open a dump, which pg_restore reads then:
#   $ openssl cms -decrypt -binary -inform DER -inkey backup_key.pem -recip deploy/secrets/backup_certificate.pem -in backups/edge-auth-….dump.cms -out edge-auth.dump
set -euo pipefail
umask 077
directory=${BACKUP_DIRECTORY:-/backups}
url=${DATABASE_URL:-$(cat "${DATABASE_URL_FILE:?set DATABASE_URL or DATABASE_URL_FILE}")}
certificate=${BACKUP_CERTIFICATE:?set BACKUP_CERTIFICATE}

backup() {
  local name
  name=edge-auth-$(date -u +%Y%m%dT%H%M%SZ).dump.cms
  # Authenticated encryption: openssl refuses to open what was changed. A dump that breaks off never gets its name.
  pg_dump --format=custom --dbname="$url" |
    openssl cms -encrypt -binary -stream -outform DER -aes-256-gcm -recip "$certificate" -out "$directory/$name.part"
  mv "$directory/$name.part" "$directory/$name"
  echo "backup: $name, $(wc -c <"$directory/$name") bytes"
  find "$directory" -name 'edge-auth-*.dump.cms' ! -name "$name" -mtime "+${BACKUP_KEEP_DAYS:-14}" -print -delete
}

if [ -z "${BACKUP_INTERVAL:-}" ]; then
  backup
  exit
fi
while :; do
  # A database that is away for a moment costs one backup and not all that follow.
  backup || echo 'backup: failed' >&2
  sleep "$BACKUP_INTERVAL" &
  wait $!
done
