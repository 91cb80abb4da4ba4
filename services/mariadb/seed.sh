#!/bin/sh
# Make the data directory: run while the image is built, never in a stack.
set -eu
mkdir -p /var/lib/mysql /run
chown harness /var/lib/mysql /run
mariadb-install-db --user=harness --skip-test-db --auth-root-authentication-method=socket >/dev/null
mariadbd --user=harness --skip-networking &
server=$!
timeout 30 sh -c 'until mariadb-admin --user=root ping; do sleep 0.1; done' >/dev/null 2>&1
mariadb --user=root <<'SQL'
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
connection() { echo "mysql+pymysql://root@localhost/$1?unix_socket=/run/mariadbd.sock"; }
# Looked for at every start of keystone, used for nothing here.
export OS_FERNET_TOKENS__KEY_REPOSITORY=/tmp/keys OS_FERNET_RECEIPTS__KEY_REPOSITORY=/tmp/keys
mkdir /tmp/keys
head -c 32 /dev/urandom | base64 | tr '+/' '-_' > /tmp/keys/0
export PYTHONPATH=/opt/keystone/service
export OS_DATABASE__CONNECTION="$(connection keystone)"
export OS_PLACEMENT_DATABASE__CONNECTION="$(connection placement)"
(
    /opt/keystone/bin/python /opt/keystone/bin/keystone-manage db_sync
    /opt/keystone/bin/python /seed/seed_identity.py
) &
identity=$!
/opt/placement/bin/python /seed/seed_placement.py
# How to make one more schema for placement: its tables, empty, and what it writes into them itself.
{
    echo "SET foreign_key_checks = 0;"
    mariadb-dump --user=root --no-data --compact --skip-opt --create-options placement \
      | sed -e 's/^CREATE TABLE /&IF NOT EXISTS /' -e '/^\/\*/d'
    for table in traits resource_classes alembic_version; do
        echo "INSERT IGNORE INTO $table SELECT * FROM placement.$table;"
    done
} > /seed/placement.sql
wait $identity
mariadb-admin --user=root shutdown
wait $server
rm -f /var/lib/mysql/*.pid /var/lib/mysql/aria_log_control.bak
