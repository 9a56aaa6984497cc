#!/usr/bin/env bash
# deploy/backup.sh: writes one encrypted dump of the database, and deletes old ones. With BACKUP_INTERVAL it repeats this
# after so many seconds. It runs in the Postgres image.
#   DATABASE_URL or DATABASE_URL_FILE   of the owner of the tables
#   BACKUP_CERTIFICATE                  PEM file; only the holder of its private key can read the dumps
#   BACKUP_DIRECTORY (/backups)         directory for the dumps
#   BACKUP_KEEP_DAYS (14)               days to keep a dump; the newest one always stays
# Create the key once, and keep it elsewhere:
#   $ openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj /CN=edge-auth-backup -keyout backup_key.pem -out deploy/secrets/backup_certificate.pem
# Decrypt a dump for pg_restore:
#   $ openssl cms -decrypt -binary -inform DER -inkey backup_key.pem -recip deploy/secrets/backup_certificate.pem -in backups/edge-auth-….dump.cms -out edge-auth.dump
set -euo pipefail
umask 077
directory=${BACKUP_DIRECTORY:-/backups}
url=${DATABASE_URL:-$(cat "${DATABASE_URL_FILE:?set DATABASE_URL or DATABASE_URL_FILE}")}
certificate=${BACKUP_CERTIFICATE:?set BACKUP_CERTIFICATE}

backup() {
  local name
  name=edge-auth-$(date -u +%Y%m%dT%H%M%SZ).dump.cms
  # Authenticated encryption: openssl refuses a changed dump. An incomplete dump never gets its name.
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
  # A short outage of the database costs one backup, not the following ones.
  backup || echo 'backup: failed' >&2
  sleep "$BACKUP_INTERVAL" &
  wait $!
done
