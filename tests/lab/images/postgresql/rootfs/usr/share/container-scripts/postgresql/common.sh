# SPDX-License-Identifier: MIT
# Functions of run-postgresql. Scripts from a pod's volumes are sourced among them and may use its variables.
# shellcheck shell=bash

export POSTGRESQL_MAX_CONNECTIONS=${POSTGRESQL_MAX_CONNECTIONS:-100}
export POSTGRESQL_MAX_PREPARED_TRANSACTIONS=${POSTGRESQL_MAX_PREPARED_TRANSACTIONS:-0}
export POSTGRESQL_CONFIG_FILE=$HOME/openshift-custom-postgresql.conf

# What start/ scripts ask for: ",simple_db", ",admin_pass" or both.
postinitdb_actions=

fail_usage() {
  [ $# -eq 0 ] || echo "error: $1" >&2
  cat >&2 <<'TEXT'
Set POSTGRESQL_USER, POSTGRESQL_PASSWORD and POSTGRESQL_DATABASE together, or POSTGRESQL_ADMIN_PASSWORD, or all four.
Optional: POSTGRESQL_MAX_CONNECTIONS (100), POSTGRESQL_MAX_PREPARED_TRANSACTIONS (0),
POSTGRESQL_SHARED_BUFFERS (a quarter of the memory limit, without a limit 32MB).
TEXT
  exit 1
}

check_variables() {
  if [[ -v POSTGRESQL_USER || -v POSTGRESQL_PASSWORD || -v POSTGRESQL_DATABASE ]]; then
    [[ -v POSTGRESQL_USER && -v POSTGRESQL_PASSWORD && -v POSTGRESQL_DATABASE ]] || fail_usage
    [ ${#POSTGRESQL_USER} -le 63 ] || fail_usage "PostgreSQL username too long (maximum 63 characters)"
    [ ${#POSTGRESQL_DATABASE} -le 63 ] || fail_usage "Database name too long (maximum 63 characters)"
    postinitdb_actions+=",simple_db"
  fi
  [[ ! -v POSTGRESQL_ADMIN_PASSWORD ]] || postinitdb_actions+=",admin_pass"
  [ -n "$postinitdb_actions" ] || fail_usage
}

# Memory settings from the container's limit, unless given: shared_buffers a quarter, effective_cache_size a half.
apply_memory_limit() {
  local file bytes=max buffers=32 cache=128
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    if [ -r "$file" ]; then
      bytes=$(<"$file")
      break
    fi
  done
  # "max", or on cgroup v1 a number near 2^63, means no limit.
  if [[ $bytes =~ ^[0-9]{1,15}$ ]]; then
    buffers=$((bytes / 1024 / 1024 / 4))
    cache=$((bytes / 1024 / 1024 / 2))
  fi
  export POSTGRESQL_SHARED_BUFFERS=${POSTGRESQL_SHARED_BUFFERS:-${buffers}MB}
  export POSTGRESQL_EFFECTIVE_CACHE_SIZE=${POSTGRESQL_EFFECTIVE_CACHE_SIZE:-${cache}MB}
}

# The volume's own folder may have any mode and owner, the data directory must be 0700 and ours.
set_pgdata() {
  export PGDATA=$HOME/data/userdata
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
}

# A random UID has no name, and PostgreSQL refuses to run without one.
write_passwd_file() {
  local uid gid
  uid=$(id -u)
  gid=$(id -g)
  awk -F: -v uid="$uid" '$1 != "postgres" && $3 != uid' /etc/passwd >"$HOME/passwd"
  echo "postgres:x:$uid:$gid:PostgreSQL Server:$HOME:/bin/bash" >>"$HOME/passwd"
  export LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=$HOME/passwd NSS_WRAPPER_GROUP=/etc/group
}

# Written anew at each start; the data directory's postgresql.conf includes it.
write_configuration() {
  local file
  {
    echo "listen_addresses = '*'"
    echo "max_connections = $POSTGRESQL_MAX_CONNECTIONS"
    echo "max_prepared_transactions = $POSTGRESQL_MAX_PREPARED_TRANSACTIONS"
    echo "shared_buffers = $POSTGRESQL_SHARED_BUFFERS"
    echo "effective_cache_size = $POSTGRESQL_EFFECTIVE_CACHE_SIZE"
    if [ -n "${POSTGRESQL_LOG_DESTINATION:-}" ]; then
      echo "log_destination = 'stderr'"
      echo "logging_collector = on"
      echo "log_directory = '$(dirname "$POSTGRESQL_LOG_DESTINATION")'"
      echo "log_filename = '$(basename "$POSTGRESQL_LOG_DESTINATION")'"
    fi
    for file in "$APP_DATA"/src/postgresql-cfg/*.conf; do
      [ ! -e "$file" ] || echo "include '$file'"
    done
  } >"$POSTGRESQL_CONFIG_FILE"
}

initialise_data_directory() {
  # The real image's locale is en_US.UTF-8; the lab's has C.UTF-8 only. The encoding is the same.
  LANG=C.UTF-8 initdb -E "${POSTGRESQL_ENCODING:-UTF8}"
  # As Red Hat builds PostgreSQL: the log goes to files beside the data, not to the pod's log.
  cat >>"$PGDATA/postgresql.conf" <<TEXT

logging_collector = on
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on

# Custom OpenShift configuration:
include '$POSTGRESQL_CONFIG_FILE'
TEXT
  cat >>"$PGDATA/pg_hba.conf" <<'TEXT'

# Custom OpenShift configuration: connections from all hosts, with a password (SCRAM where it is stored so).
host all all all md5
host replication all all md5
TEXT
}

create_role_and_database() {
  [[ ",$postinitdb_actions," = *,simple_db,* ]] || return 0
  createuser -- "$POSTGRESQL_USER"
  createdb --owner="$POSTGRESQL_USER" -- "$POSTGRESQL_DATABASE"
}

# Source the *.sh of some folders in the order of their names; of one name, only the first folder's.
source_scripts() {
  local folder file name
  local -A chosen=()
  for folder in "$@"; do
    for file in "$folder"/*.sh; do
      name=${file##*/}
      [ ! -f "$file" ] || [[ -v chosen[$name] ]] || chosen[$name]=$file
    done
  done
  local -a names=()
  mapfile -t names < <(printf '%s\n' "${!chosen[@]}" | LC_ALL=C sort)
  for name in "${names[@]}"; do
    [ -n "$name" ] || continue
    echo "=> sourcing ${chosen[$name]} ..."
    # shellcheck disable=SC1090
    source "${chosen[$name]}"
    set -e # a script must not switch this off for the rest
  done
}
