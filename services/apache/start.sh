#!/bin/sh
# Write the balancers' members, then become Apache. All 16 members are declared, so that replicas
# come and go without a restart of Apache; members beyond REPLICAS begin disabled.
#   REPLICAS         number of replicas of the first lane
#   REPLICA_PREFIX   name of a replica without its number
#   REPLICA_PORT     port of the first lane's replicas, if it is not 8778
#   LISTEN           address and port of the first lane, if it is not port 8080 of all addresses
#   LANES            lanes besides the first one, as NAME:PORT:REPLICAS; their replicas listen at
#                    the same port
#   MEMBERS          replicas on other machines, as REPLICA=ADDRESS:PORT; 2-1 is replica 1 of lane 2
set -eu
: "${REPLICA_PREFIX:?must be the name of a replica without its number}"
# retry=0: a member that could not be reached is tried again at once.
# addressttl=1: a replica that was restarted may have another address.
# connectiontimeout=3: the address of a replica that was killed swallows connections, for minutes;
# nothing has been sent by then, so another member may serve.
common="retry=0 addressttl=1 connectiontimeout=3"
rm -f /run/lanes.conf
for lane in "placement:8080:${REPLICAS:?must be set}" ${LANES:-}; do
    replicas=${lane##*:} port=${lane%:*} port=${port#*:}
    # Apache takes a balancer whose name is a number for an address.
    case $lane in
        placement:*) name=placement routes= socket=${REPLICA_PORT:-8778} listen=${LISTEN:-8080} port=${listen##*:} ;;
        *) name=lane-${lane%%:*} routes=${lane%%:*}- socket=$port listen=$port ;;
    esac
    rm -f "/run/members-$name.conf" "/run/replicas-$name.conf"
    for number in $(seq 16); do
        address="uwsgi://$REPLICA_PREFIX$number:$socket"
        for member in ${MEMBERS:-}; do
            case $member in "$routes$number="*) address="uwsgi://${member#*=}" ;; esac
        done
        if [ "$number" -le "$replicas" ]; then status=; else status="status=+D"; fi
        echo "BalancerMember $address route=$routes$number $common $status" >> "/run/members-$name.conf"
        # Address of this replica alone, whether it is in rotation or not. Needs the stack's key.
        echo "ProxyPass /replica/$number $address $common" >> "/run/replicas-$name.conf"
    done
    echo "Use Lane $name $port $listen" >> /run/lanes.conf
done
exec apache2 -f /etc/httpd.conf -DFOREGROUND
