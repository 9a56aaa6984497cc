#!/bin/sh
# deploy/secrets.sh [directory]: creates the missing secrets for docker-compose.postgres.yml, readable for the accounts of the images.
set -eu
umask 077
directory=${1:-$(dirname "$0")/secrets}
mkdir -p "$directory"
cd "$directory"
# Set the mode of an existing directory too, because all accounts can read the files in it.
chmod 700 .
password() { [ -e "$1" ] || openssl rand -hex 24 >"$1"; }
[ -e auth_secret ] || openssl rand -base64 32 >auth_secret
password metrics_token
# Postgres: the superuser, the owner of the tables for migrations, and the service, which reads and writes rows.
password postgres_password
password database_owner_password
password database_password
printf 'postgres://edge_auth_owner:%s@postgres:5432/edge_auth\n' "$(cat database_owner_password)" >database_owner_url
printf 'postgres://edge_auth_service:%s@postgres:5432/edge_auth\n' "$(cat database_password)" >database_url
# Redis: the operator may run every command, the service only those it needs.
password redis_password
password redis_service_password
cat >redis_acl <<END
user default on >$(cat redis_password) ~* &* +@all
user edge_auth on >$(cat redis_service_password) ~* resetchannels -@all +@read +@write +@scripting +@connection -@dangerous
END
printf 'redis://edge_auth:%s@redis:6379\n' "$(cat redis_service_password)" >redis_url
# RabbitMQ reads no password file, so its configuration holds the password.
password rabbitmq_password
printf 'default_user = edge_auth\ndefault_pass = %s\n' "$(cat rabbitmq_password)" >rabbitmq_conf
printf 'amqp://edge_auth:%s@rabbitmq:5672\n' "$(cat rabbitmq_password)" >rabbitmq_url
# You fill these in. An empty file counts as not set.
for file in smtp_password resend_api_key webhooks; do
  [ -e "$file" ] || : >"$file"
done
# Compose mounts the files with their modes. The directory stays closed to others.
chmod 644 auth_secret metrics_token postgres_password database_* redis_* rabbitmq_* smtp_password resend_api_key webhooks
# The proxy and the backup also run under their own accounts.
for file in tls_cert.pem tls_key.pem backup_certificate.pem; do
  [ ! -e "$file" ] || chmod 644 "$file"
done
