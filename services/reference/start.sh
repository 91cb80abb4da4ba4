#!/bin/sh
# Write the virtual hosts of lanes, then become Apache with Debian's configuration.
#   LANES   NAME:PORT of each lane with a port of its own; the first one, without a virtual host, is
#           at port 80, as devstack's placement is
#   ROOT    if set, placement is also at the root of each lane: placement's own suites want that
set -e
. /etc/apache2/envvars
set -u
# Logs go to the container's. A log file is opened for each virtual host.
# /var/lock is a link to /run/lock.
mkdir -p /run/lock "$APACHE_RUN_DIR" "$APACHE_LOCK_DIR" /run/apache2-logs /run/lanes
ln -sf /proc/self/fd/2 /run/apache2-logs/error.log
for log in access other_vhosts_access; do
    ln -sf /proc/self/fd/1 "/run/apache2-logs/$log.log"
done
cp /usr/local/share/placement-api.conf /run/placement-api.conf
rm -f /run/lanes/*.conf
for lane in ${LANES:-}; do
    name=${lane%%:*} port=${lane##*:}
    case $name in
        1) socket=placement-api ;;
        *) socket=placement-api-$name ;;
    esac
    proxied="unix:/var/run/uwsgi/$socket.socket|uwsgi://uwsgi-uds-$socket"
    {
        echo "Listen $port"
        echo "<VirtualHost *:$port>"
        echo "Include /etc/apache2/sites-available/identity.conf"
        echo "ProxyPass \"/placement\" \"$proxied\" retry=0 acquire=1"
        [ -z "${ROOT:-}" ] || echo "ProxyPass \"/\" \"$proxied/\" retry=0 acquire=1"
        echo "</VirtualHost>"
    } > "/run/lanes/$name.conf"
done
exec apache2 ${LANES:+-DLANES} -DFOREGROUND
