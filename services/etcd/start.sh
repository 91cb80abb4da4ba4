#!/bin/bash
# Become etcd, with password authentication, and with TLS where it is given certificates.
#   ETCD_ROOT_PASSWORD     of the user root, who may do everything
#   ETCD_READER_PASSWORD   of the user READER, who may read the keys below /READER/ and no others
#   READER                 default: placement
#   /tls/server.pem and /tls/server-key.pem   a certificate and its key: clients then use https
#
# etcd is never reachable without authentication: the first start listens on loopback, within this
# container, and the port opens to others after the users were made. Passwords go through files and
# pipes, never through a command line.
set -eu
root_password=${ETCD_ROOT_PASSWORD:?must be set; \"make images\" writes one into .env}
reader_password=${ETCD_READER_PASSWORD:?must be set; \"make images\" writes one into .env}
reader=${READER:-placement}
# etcd and etcdctl take variables with this prefix for options of theirs, and complain of others.
unset ETCD_ROOT_PASSWORD ETCD_READER_PASSWORD
umask 077
data=/var/lib/etcd/data
# Fingerprint of the users' passwords; a volume may be older than .env.
made=/var/lib/etcd/users-made-with

# A single member is elected by itself: short timeouts save 1 s of every start. A password of 128
# random bits needs no stretching.
serve() {
    "$@" --name=etcd --data-dir=$data --log-level=warn --bcrypt-cost=4 \
        --heartbeat-interval=20 --election-timeout=100 \
        --listen-peer-urls=http://127.0.0.1:2380 \
        --initial-advertise-peer-urls=http://127.0.0.1:2380 \
        --initial-cluster=etcd=http://127.0.0.1:2380
}

fingerprint=$(printf '%s %s %s' "$root_password" "$reader_password" "$reader" | sha256sum)
if [ ! -e $made ]; then
    rm -rf $data
    local_url=http://127.0.0.1:2378
    serve exec etcd --listen-client-urls=$local_url --advertise-client-urls=$local_url &
    etcd=$!
    export ETCDCTL_ENDPOINTS=$local_url
    # etcdctl would wait for a second between its first attempt and the next.
    until (: < /dev/tcp/127.0.0.1/2378) 2> /dev/null; do
        kill -0 $etcd || { wait $etcd; exit 1; }
        sleep 0.02
    done
    ctl() { etcdctl --dial-timeout=10s --command-timeout=10s "$@" > /dev/null; }
    printf '%s' "$root_password" | ctl user add root --interactive=false &
    one=$!
    printf '%s' "$reader_password" | ctl user add "$reader" --interactive=false &
    two=$!
    ctl role add "$reader"
    wait $one && wait $two
    ctl role grant-permission --prefix "$reader" read "/$reader/" &
    one=$!
    ctl user grant-role "$reader" "$reader" &
    two=$!
    ctl user grant-role root root
    wait $one && wait $two
    ctl auth enable
    kill $etcd
    wait $etcd 2> /dev/null || true
    echo "$fingerprint" > $made
elif [ "$(cat $made)" != "$fingerprint" ]; then
    echo "etcd's volume was made with other passwords: remove it (docker compose down --volumes)," \
        "or start with those." >&2
    exit 1
fi

scheme=http certificates=
if [ -e /tls/server.pem ]; then
    scheme=https certificates="--cert-file=/tls/server.pem --key-file=/tls/server-key.pem"
    if [ ! -r /tls/server-key.pem ]; then
        echo "/tls/server-key.pem is not there, or user 10005 may not read it." >&2
        exit 1
    fi
fi
# shellcheck disable=SC2086  (two words, or none)
serve exec etcd --listen-client-urls=$scheme://0.0.0.0:2379 \
    --advertise-client-urls=$scheme://etcd:2379 $certificates
