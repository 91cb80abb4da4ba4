#!/bin/sh
# Write the balancer's members, then become Apache. All 16 are declared, so that replicas come and
# go without a restart of Apache; those beyond REPLICAS begin disabled.
set -eu
rm -f /run/members.conf /run/replicas.conf
: "${REPLICA_PREFIX:?must be the name of a replica without its number}"
# retry=0: a member that could not be reached is tried again at once.
# addressttl=1: a replica that was restarted may have another address.
# connectiontimeout=3: the address of a replica that was killed swallows connections, for minutes;
# nothing has been sent by then, so another member may serve.
common="retry=0 addressttl=1 connectiontimeout=3"
for number in $(seq 16); do
    address="uwsgi://$REPLICA_PREFIX$number:8778"
    if [ "$number" -le "${REPLICAS:?must be set}" ]; then status=; else status="status=+D"; fi
    echo "BalancerMember $address route=$number $common $status" >> /run/members.conf
    # One replica alone, in the balancer or not, for who knows the stack's key.
    echo "ProxyPass /replica/$number $address $common" >> /run/replicas.conf
done
exec apache2 -f /etc/httpd.conf -DFOREGROUND
