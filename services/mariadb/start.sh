#!/bin/sh
# Give this stack's password to the three accounts, then become the server. The password reaches
# it in a file on tmpfs: never on a command line.
set -eu
: "${DATABASE_PASSWORD:?must be set; \"make images\" writes one into .env}"
umask 077
for user in keystone placement harness; do
    echo "ALTER USER '$user'@'%' IDENTIFIED BY '$DATABASE_PASSWORD';"
done > /run/accounts.sql
exec mariadbd --init-file=/run/accounts.sql
