# SPDX-License-Identifier: MIT
# At every start the passwords become those of the environment: a changed Secret takes effect with a restart.
# psql reads them from the environment and quotes them itself, so that any character will do.
# shellcheck shell=bash disable=SC2154 # run-postgresql's variable

if [[ ",$postinitdb_actions," = *,simple_db,* ]]; then
  psql --quiet --set ON_ERROR_STOP=1 <<'SQL'
\getenv name POSTGRESQL_USER
\getenv password POSTGRESQL_PASSWORD
ALTER USER :"name" WITH ENCRYPTED PASSWORD :'password';
SQL
fi

if [[ -v POSTGRESQL_ADMIN_PASSWORD ]]; then
  psql --quiet --set ON_ERROR_STOP=1 <<'SQL'
\getenv password POSTGRESQL_ADMIN_PASSWORD
ALTER USER "postgres" WITH ENCRYPTED PASSWORD :'password';
SQL
fi
