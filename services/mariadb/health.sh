#!/bin/sh
# Answer haproxy by HTTP: may this node of a cluster be given requests?
# The query goes over the socket, as the server's own system user, which needs no password.
# Primary: it is in the majority. Synced: it has caught up, and is not busy bringing another up.
if [ ! -e /run/server ]; then
    state="not running"
elif [ ! -S /run/mariadbd.sock ]; then
    state="waiting for the others"
else
    state=$(mariadb --connect-timeout=2 --skip-column-names --execute="SELECT variable_value
        FROM information_schema.global_status WHERE variable_name IN ('wsrep_cluster_status',
        'wsrep_local_state_comment', 'wsrep_ready') ORDER BY variable_name" 2>&1 | xargs)
fi
if [ "$state" = "Primary Synced ON" ]; then status="200 OK"; else status="503 Service Unavailable"; fi
printf 'HTTP/1.0 %s\r\nContent-Length: %s\r\n\r\n%s\n' "$status" "$((${#state} + 1))" "$state"
