#!/bin/sh
# Write the balancer's members, then become Apache. All 16 are declared, so that replicas come and
# go without a restart of Apache; those beyond REPLICAS begin disabled.
set -eu
: "${REPLICA_PREFIX:?must be the name of a replica without its number}"
for number in $(seq 16); do
    if [ "$number" -le "${REPLICAS:?must be set}" ]; then status=; else status="status=+D"; fi
    echo "BalancerMember uwsgi://$REPLICA_PREFIX$number:8778 route=$number retry=0 $status"
done > /run/replicas.conf
exec apache2 -f /etc/httpd.conf -DFOREGROUND
