#!/bin/sh
# Give this stack's password to the three accounts, make the schemas of SCHEMAS as placement's is,
# then become the server. The password reaches it in a file on tmpfs: never on a command line.
set -eu
: "${DATABASE_PASSWORD:?must be set; \"make images\" writes one into .env}"
umask 077
for user in keystone placement harness; do
    echo "ALTER USER '$user'@'%' IDENTIFIED BY '$DATABASE_PASSWORD';"
done > /run/init.sql
for schema in ${SCHEMAS:-}; do
    echo "CREATE DATABASE IF NOT EXISTS $schema;"
    echo "USE $schema;"
    cat /usr/local/share/placement.sql
done >> /run/init.sql
exec mariadbd --init-file=/run/init.sql
