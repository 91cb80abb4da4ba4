#!/bin/sh
# Make the data directory: run while the image is built, never in a stack. /code is the root of
# keystone's and placement's code, with the server's socket in it.
set -eu
mkdir -p /var/lib/mysql /run /code/run /code/tmp/keys
chown harness /var/lib/mysql /run /code/run
socket=/run/mariadbd.sock
mariadb-install-db --user=harness --skip-test-db --auth-root-authentication-method=socket >/dev/null
serve() {
    mariadbd "$@" --user=harness --skip-networking --socket="/code$socket" &
    server=$!
    timeout 30 sh -c 'until mariadb-admin --user=root --socket=$0 ping; do sleep 0.1; done' \
        "/code$socket" >/dev/null 2>&1
}
stop() {
    mariadb-admin --user=root --socket="/code$socket" shutdown
    wait "$server"
}
serve
mariadb --user=root --socket="/code$socket" <<'SQL'
CREATE DATABASE keystone;
CREATE DATABASE placement;
-- Without a password that works: start.sh gives each its stack's.
CREATE USER keystone@'%' IDENTIFIED VIA mysql_native_password USING 'invalid';
CREATE USER placement@'%' IDENTIFIED VIA mysql_native_password USING 'invalid';
CREATE USER harness@'%' IDENTIFIED VIA mysql_native_password USING 'invalid';
GRANT ALL ON keystone.* TO keystone@'%';
GRANT ALL ON placement.* TO placement@'%';
GRANT ALL ON `placement\_%`.* TO placement@'%';
GRANT ALL ON *.* TO harness@'%';
SQL
connection() { echo "mysql+pymysql://root@localhost/$1?unix_socket=$socket"; }
# keystone looks for a key at every start. Here it signs nothing.
export OS_FERNET_TOKENS__KEY_REPOSITORY=/tmp/keys OS_FERNET_RECEIPTS__KEY_REPOSITORY=/tmp/keys
head -c 32 /dev/urandom | base64 | tr '+/' '-_' > /code/tmp/keys/0
export PYTHONPATH=/opt/keystone/service
export OS_DATABASE__CONNECTION="$(connection keystone)"
export OS_PLACEMENT_DATABASE__CONNECTION="$(connection placement)"
python() { chroot /code "/opt/$1/bin/python" "$2" ${3:-}; }
(
    python keystone /opt/keystone/bin/keystone-manage db_sync
    python keystone /seed/seed_identity.py
) &
identity=$!
python placement /seed/seed_placement.py
# How to make one more schema for placement: its tables, empty, and what it writes into them itself.
{
    echo "SET foreign_key_checks = 0;"
    # VCPU's id is 0. Without this each server gives it another one: each node of a cluster, too.
    echo "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';"
    mariadb-dump --user=root --socket="/code$socket" \
        --no-data --compact --skip-opt --create-options placement \
      | sed -e 's/^CREATE TABLE /&IF NOT EXISTS /' -e '/^\/\*/d'
    for table in traits resource_classes alembic_version; do
        echo "INSERT IGNORE INTO $table SELECT * FROM placement.$table;"
    done
} > /placement.sql
wait $identity
stop
# Write a cluster's name and position: all nodes begin with this directory, so no node has to ask
# another one for data.
serve --defaults-group-suffix=-galera --wsrep-new-cluster --wsrep-cluster-address=gcomm://
stop
cd /var/lib/mysql
cat grastate.dat
rm -f ./*.pid aria_log_control.bak galera.cache gvwstate.dat
