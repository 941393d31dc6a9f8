#!/usr/bin/env bash
# start-ceph.sh DIR PORT MON2 MON1 [ADDRESS]: a Ceph of one node with an S3 gateway on ADDRESS:PORT (127.0.0.1), its
# objects in memory, and a user with the access key "test-key". Says "ready", and stops when its input ends, which comes with the end of the
# tests, however they end.
set -euo pipefail
dir=$1 port=$2 mon2=$3 mon1=$4 address=${5:-127.0.0.1}
stop() {
    for file in "$dir"/*.pid; do
        kill -KILL "$(cat "$file")" || true
    done
    rm -rf "$dir"
}
trap stop EXIT
mkdir -p "$dir"/{mon,osd,run}
export CEPH_CONF="$dir/ceph.conf"
fsid=$(cat /proc/sys/kernel/random/uuid)
cat >"$CEPH_CONF" <<C
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$mon2/0,v1:127.0.0.1:$mon1/0]
public network = 127.0.0.0/8
ms bind ipv6 = false
keyring = $dir/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd crush update on start = false
osd objectstore = memstore
memstore device bytes = 1073741824
mon allow pool size one = true
mon data avail crit = 0
mon data avail warn = 0
auth allow insecure global id reclaim = false
run dir = $dir/run
log file = $dir/\$name.log
pid file = $dir/\$name.pid
admin socket = $dir/run/\$name.asok
mon data = $dir/mon
osd data = $dir/osd
[osd]
keyring = $dir/osd/keyring
[client]
rgw data = $dir
rgw frontends = beast endpoint=$address:$port
rgw thread pool size = 16
C
ceph-authtool -C "$dir/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
ceph-authtool -C "$dir/monring" --gen-key -n mon. --cap mon 'allow *'
ceph-authtool "$dir/monring" --import-keyring "$dir/keyring"
monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon2,v1:127.0.0.1:$mon1]" "$dir/monmap"
ceph-mon --mkfs -i a --monmap "$dir/monmap" --keyring "$dir/monring"
ceph-mon -i a
ceph osd new "$(cat /proc/sys/kernel/random/uuid)"
ceph auth get-or-create osd.0 mon 'allow profile osd' osd 'allow *' -o "$dir/osd/keyring"
ceph-osd -i 0 --mkfs --osd-uuid "$(ceph osd dump -f json | grep -oP '"osd":0,"uuid":"\K[^"]+')"
ceph osd crush add osd.0 1.0 root=default host=h
ceph-osd -i 0
for _ in $(seq 150); do
    ceph osd stat | grep -q '1 up' && break
    sleep 0.2
done
radosgw-admin user create --uid=padim --display-name=padim --access-key=test-key --secret-key=test-secret
radosgw -n client.admin
for _ in $(seq 300); do
    curl -sf -o /dev/null "http://$address:$port/" && break
    sleep 0.2
done
echo ready
read -r _ || true
