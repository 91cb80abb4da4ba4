#!/bin/sh
# Give this stack's password to the three accounts, make the schemas of SCHEMAS as placement's is,
# then become the server. The password reaches it in a file on tmpfs: never on a command line.
#   GALERA_NODES     the names of all nodes of a cluster, for a server that is one of them
#   GALERA_SYNC_WAIT what waits for what the others have committed: wsrep_sync_wait
#   GALERA_NODE      this one's number among them, from 1
set -eu
: "${DATABASE_PASSWORD:?must be set; \"make images\" writes one into .env}"
umask 077
data=/var/lib/mysql
node=${GALERA_NODES:+yes}
# What the server does before it serves. A node has its schemas from its own first start, all by
# itself: what it begins with is the same everywhere. Later the others' are the truth, and nothing
# may be written to this one alone.
initial() {
    [ -z "$node" ] || echo "SET SESSION wsrep_on = OFF;"
    for user in keystone placement harness; do
        echo "ALTER USER '$user'@'%' IDENTIFIED BY '$DATABASE_PASSWORD';"
    done
    if [ ! -e $data/initial ]; then
        for schema in ${SCHEMAS:-}; do
            echo "CREATE DATABASE IF NOT EXISTS $schema;"
            echo "USE $schema;"
            cat /usr/local/share/placement.sql
        done
    fi
    # Back to Galera's default: see below. The file says that all of this was done.
    [ -z "$node" ] || echo "SET GLOBAL wsrep_provider_evs_install_timeout = 7.5;"
    [ -z "$node" ] || [ -e $data/initial ] || echo "SELECT 'done' INTO OUTFILE '$data/initial';"
}
# From 11.4 on a server that is given no key makes itself one at each start, an RSA key, whose primes
# take it 0.1 to 0.8 s to find.
key=/run/key.pem certificate=/run/certificate.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 3650 \
    -subj /CN=mariadb -keyout $key -out $certificate 2>/dev/null
set -- --ssl-key=$key --ssl-cert=$certificate

initial > /run/init.sql
[ -n "$node" ] || exec mariadbd "$@" --init-file=/run/init.sql

# A node. Nothing here founds a cluster, but the node that has left it as the last. Every node begins
# with the same data and with the record of a view (gvwstate.dat) that all of them were in: to Galera
# this is a cluster after a power cut, which forms again as soon as all that were in its last view
# have met, with the data of whoever is furthest. A node that finds the others at work just joins
# them, and asks only for what it has missed.
member() { printf '%08d-0000-11e0-8000-000000000000' "$1"; }
view() {
    echo "my_uuid: $(member "$GALERA_NODE")"
    echo "#vwbeg"
    echo "view_id: 3 $(member 1) 1"
    echo "bootstrap: 0"
    number=0
    for node in $GALERA_NODES; do
        number=$((number + 1))
        echo "member: $(member $number) 0"
    done
    echo "#vwend"
}
first=
if [ ! -e $data/begun ]; then
    # How long nodes that have begun to agree who is there wait for each other. Two of three often
    # begin before the third is there, and have to begin again. Short only until the server is ready:
    # with nothing written there is nothing to lose. In a running cluster it must be longer than
    # suspect_timeout: with 1 s, the two that survived a third gave each other up, too, and writes
    # that the dead one had acknowledged were lost.
    first="$(sed -n 's/^wsrep_provider_options *= "\(.*\)"/\1/p' /etc/mysql/my.cnf)"
    first="--wsrep-provider-options=$first;evs.install_timeout=PT1S"
    sed -i 's/^safe_to_bootstrap: .*/safe_to_bootstrap: 0/' $data/grastate.dat
    view > $data/gvwstate.dat
    touch $data/begun
fi
address=$(hostname -i | cut -d ' ' -f 1)
# Who brings this one up: the last of the others. haproxy takes the first that is fit as its writer,
# and a node is not while it does that.
donor=
for node in $GALERA_NODES; do
    [ "$node" = "galera-$GALERA_NODE" ] || donor=$node
done
set -- --defaults-group-suffix=-galera "$@" --wsrep-node-name="galera-$GALERA_NODE" \
    --wsrep-node-address="$address" --wsrep-sst-donor="$donor," \
    --wsrep-cluster-address="gcomm://$(echo $GALERA_NODES | tr ' ' ',')" \
    --wsrep-sync-wait="${GALERA_SYNC_WAIT:-0}"

# Where the data ends, when the server was not asked to stop: it has to be read from them.
position() {
    grep -q '^seqno: *-1$' $data/grastate.dat || return 0
    mariadbd "$@" --wsrep-recover --log-error=/run/recovery.log || :
    found=$(sed -n 's/.*WSREP: Recovered position: *//p' /run/recovery.log | tail -n 1)
    cat /run/recovery.log >&2
    rm -f /run/recovery.log
    [ -z "$found" ] || echo "--wsrep-start-position=$found"
}

# haproxy's question, on a port of its own.
socat TCP-LISTEN:9200,fork,reuseaddr EXEC:/usr/local/bin/health 2>/dev/null &

# This script is to the server what systemd is on a host: one that has crashed or was killed is
# started again, after as long as Debian's unit waits.
stopping=
stop() {
    stopping=yes
    # One after the other, when all are asked at once: two that leave together remember another view
    # than those before them, and then neither is found.
    sleep $((GALERA_NODE - 1))
    # It removes the record of its last view when it is asked to stop: see above.
    cp $data/gvwstate.dat $data/last-view 2>/dev/null || :
    kill -TERM "$server" 2>/dev/null || :
}
server=
trap stop TERM INT
while [ -z "$stopping" ]; do
    [ ! -e $data/last-view ] || mv $data/last-view $data/gvwstate.dat
    initial > /run/init.sql
    # It was the last one. The others remember views that it was in, and wait for it; with a view of
    # its own, which is another one, it would wait for them.
    last=
    if grep -q '^safe_to_bootstrap: *1$' $data/grastate.dat; then
        last=--wsrep-new-cluster
        rm -f $data/gvwstate.dat
    fi
    mariadbd "$@" --init-file=/run/init.sql ${first:+"$first"} $last $(position "$@") &
    server=$! first=
    # For health.sh: a server answers nobody until it has found the others.
    echo "$server" > /run/server
    code=0
    wait "$server" || code=$?
    # A signal ends the first wait, not the server.
    [ -z "$stopping" ] || { wait "$server" || code=$?; break; }
    # It leaves its socket behind when it is killed.
    rm -f /run/server /run/mariadbd.sock
    echo "start: mariadbd ended with $code; it is started again in ${RESTART_SECONDS:-5} s" >&2
    sleep "${RESTART_SECONDS:-5}" & wait $! || :
done
[ ! -e $data/last-view ] || mv $data/last-view $data/gvwstate.dat
exit "${code:-0}"
