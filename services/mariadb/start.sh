#!/bin/sh
# Give this stack's password to the three accounts, make the schemas of SCHEMAS as copies of
# placement's, then become the server. The password is in a file on tmpfs, never on a command line.
#   GALERA_NODES     names of all nodes of a cluster, if this server is a node
#   GALERA_SYNC_WAIT statements that wait for the commits of other nodes: wsrep_sync_wait
#   GALERA_NODE      number of this node, from 1
set -eu
: "${DATABASE_PASSWORD:?must be set; \"make images\" writes one into .env}"
umask 077
data=/var/lib/mysql
node=${GALERA_NODES:+yes}
# SQL that the server runs before it serves. A node makes its schemas at its first start, by itself:
# all nodes begin with the same data. Later, nothing may be written to one node alone.
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
# From 11.4 on, a server without a key makes an RSA key at each start, which takes 0.1 to 0.8 s. An
# elliptic key is made at once.
key=/run/key.pem certificate=/run/certificate.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 3650 \
    -subj /CN=mariadb -keyout $key -out $certificate 2>/dev/null
set -- --ssl-key=$key --ssl-cert=$certificate

initial > /run/init.sql
[ -n "$node" ] || exec mariadbd "$@" --init-file=/run/init.sql

# From here on: a node. Only the node that left a cluster as the last founds it again. Every node
# begins with the same data and with the record of a view (gvwstate.dat) that holds all nodes. To
# Galera this is a cluster after a power cut: it forms again as soon as all nodes of the last view
# have met, with the data of the most advanced node. A node that meets a running cluster joins it,
# and asks only for the writes that it has missed.
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
    # install_timeout is the time that nodes wait for each other while they agree on a view. Two of
    # three nodes often begin before the third is up, and have to begin again. The timeout is short
    # only until the server is ready, when no write can be lost. In a running cluster it has to be
    # longer than suspect_timeout: with 1 s, the two survivors of a dead node gave each other up,
    # too, and writes that the dead node had acknowledged were lost.
    first="$(sed -n 's/^wsrep_provider_options *= "\(.*\)"/\1/p' /etc/mysql/my.cnf)"
    first="--wsrep-provider-options=$first;evs.install_timeout=PT1S"
    sed -i 's/^safe_to_bootstrap: .*/safe_to_bootstrap: 0/' $data/grastate.dat
    view > $data/gvwstate.dat
    touch $data/begun
fi
address=$(hostname -i | cut -d ' ' -f 1)
# The donor, which sends this node its data: the last of the other nodes. A donor is not fit to be
# haproxy's writer, which is the first node that is fit.
donor=
for node in $GALERA_NODES; do
    [ "$node" = "galera-$GALERA_NODE" ] || donor=$node
done
set -- --defaults-group-suffix=-galera "$@" --wsrep-node-name="galera-$GALERA_NODE" \
    --wsrep-node-address="$address" --wsrep-sst-donor="$donor," \
    --wsrep-cluster-address="gcomm://$(echo $GALERA_NODES | tr ' ' ',')" \
    --wsrep-sync-wait="${GALERA_SYNC_WAIT:-0}"

# Option with the position of the last write, which has to be recovered from the data after a crash.
position() {
    grep -q '^seqno: *-1$' $data/grastate.dat || return 0
    mariadbd "$@" --wsrep-recover --log-error=/run/recovery.log || :
    found=$(sed -n 's/.*WSREP: Recovered position: *//p' /run/recovery.log | tail -n 1)
    cat /run/recovery.log >&2
    rm -f /run/recovery.log
    [ -z "$found" ] || echo "--wsrep-start-position=$found"
}

# Answers haproxy's health check, on its own port.
socat TCP-LISTEN:9200,fork,reuseaddr EXEC:/usr/local/bin/health 2>/dev/null &

# This script does systemd's work: a server that crashed or was killed is started again, after the
# same time as by Debian's unit.
stopping=
stop() {
    stopping=yes
    # Nodes that are stopped together leave one after the other. Two nodes that leave at the same
    # moment remember another view than the nodes before them, and the cluster does not form again.
    sleep $((GALERA_NODE - 1))
    # The server removes gvwstate.dat when it stops: keep a copy.
    cp $data/gvwstate.dat $data/last-view 2>/dev/null || :
    kill -TERM "$server" 2>/dev/null || :
}
server=
trap stop TERM INT
while [ -z "$stopping" ]; do
    [ ! -e $data/last-view ] || mv $data/last-view $data/gvwstate.dat
    initial > /run/init.sql
    # This node left as the last. The other nodes remember views with this node, and wait for it. If
    # it kept its record of a later view, it would wait for them.
    last=
    if grep -q '^safe_to_bootstrap: *1$' $data/grastate.dat; then
        last=--wsrep-new-cluster
        rm -f $data/gvwstate.dat
    fi
    mariadbd "$@" --init-file=/run/init.sql ${first:+"$first"} $last $(position "$@") &
    server=$! first=
    # health.sh reads the process id: a server answers no query until it has met the other nodes.
    echo "$server" > /run/server
    code=0
    wait "$server" || code=$?
    # A signal ends the first wait, not the server.
    [ -z "$stopping" ] || { wait "$server" || code=$?; break; }
    # A killed server leaves its socket behind.
    rm -f /run/server /run/mariadbd.sock
    echo "start: mariadbd ended with $code; it is started again in ${RESTART_SECONDS:-5} s" >&2
    sleep "${RESTART_SECONDS:-5}" & wait $! || :
done
[ ! -e $data/last-view ] || mv $data/last-view $data/gvwstate.dat
exit "${code:-0}"
