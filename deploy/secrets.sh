#!/bin/sh
# deploy/secrets.sh [directory]: makes the secrets of docker-compose.postgres.yml that are not there yet. The account of the image (1000) reads them.
set -eu
umask 077
directory=${1:-$(dirname "$0")/secrets}
mkdir -p "$directory"
cd "$directory"
# Also where somebody else made it: the files in it can be read by all.
chmod 700 .
[ -e auth_secret ] || openssl rand -base64 32 >auth_secret
[ -e postgres_password ] || openssl rand -hex 24 >postgres_password
[ -e database_url ] || printf 'postgres://edge_auth:%s@postgres:5432/edge_auth\n' "$(cat postgres_password)" >database_url
# RabbitMQ has no variable for a file: its configuration holds the password.
if [ ! -e rabbitmq_conf ]; then
  password=$(openssl rand -hex 24)
  printf 'default_user = edge_auth\ndefault_pass = %s\n' "$password" >rabbitmq_conf
  printf 'amqp://edge_auth:%s@rabbitmq:5672\n' "$password" >rabbitmq_url
fi
[ -e metrics_token ] || openssl rand -hex 24 >metrics_token
# What others give: empty is not set.
for file in smtp_password resend_api_key webhooks; do
  [ -e "$file" ] || : >"$file"
done
# Compose mounts them as they are. The directory stays closed to others.
chmod 644 auth_secret postgres_password database_url rabbitmq_conf rabbitmq_url metrics_token
chmod 644 smtp_password resend_api_key webhooks
# The proxy runs as an account of its own, too.
for file in tls_cert.pem tls_key.pem; do
  [ ! -e "$file" ] || chmod 644 "$file"
done
