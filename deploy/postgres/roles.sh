#!/bin/sh
# Runs once, when the container of Postgres makes its cluster: the owner of the database, who migrates it, and the role
# of the service, which reads and writes rows alone (`migrate.ts up --grant` gives it the rights). The superuser stays
# inside the container.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set owner_password="$(cat /run/secrets/database_owner_password)" \
  --set service_password="$(cat /run/secrets/database_password)" \
  --set database="$POSTGRES_DB" <<'SQL'
create role edge_auth_owner login password :'owner_password';
create role edge_auth_service login password :'service_password';
alter database :"database" owner to edge_auth_owner;
revoke connect, temporary on database :"database" from public;
grant connect on database :"database" to edge_auth_service;
-- The service gives up first. This ends what a service leaves behind that died.
alter role edge_auth_service set statement_timeout = '15s';
alter role edge_auth_service set idle_in_transaction_session_timeout = '60s';
SQL
