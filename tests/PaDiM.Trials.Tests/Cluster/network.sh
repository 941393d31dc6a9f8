#!/usr/bin/env bash
# network.sh ID SUBNET NAME...: machines on a switch of their own, as network namespaces ID-NAME with the addresses
# SUBNET.2, .3 and so on; this machine is SUBNET.1. Says "ready". When its input ends, which comes with the end of the
# trial, however that ends, it kills what runs in the namespaces and removes them.
#
# To cut a machine off: ip -n ID-switch link set dev NAME down
set -euo pipefail
id=$1 subnet=$2
shift 2
names=("$@")
stop() {
    local name
    for name in "${names[@]}"; do
        ip netns pids "$id-$name" 2>/dev/null | xargs -r kill -KILL || true
        ip netns delete "$id-$name" 2>/dev/null || true
    done
    # The link to this machine goes with the switch.
    ip netns delete "$id-switch" 2>/dev/null || true
}
trap stop EXIT
ip netns add "$id-switch"
ip -n "$id-switch" link add switch type bridge
ip -n "$id-switch" link set dev switch up
ip link add "$id" type veth peer name uplink netns "$id-switch"
ip addr add "$subnet.1/24" dev "$id"
ip link set dev "$id" up
ip -n "$id-switch" link set dev uplink master switch up
number=2
for name in "${names[@]}"; do
    ip netns add "$id-$name"
    ip -n "$id-$name" link set dev lo up
    ip -n "$id-$name" link add eth0 type veth peer name "$name" netns "$id-switch"
    ip -n "$id-switch" link set dev "$name" master switch up
    ip -n "$id-$name" addr add "$subnet.$((number++))/24" dev eth0
    ip -n "$id-$name" link set dev eth0 up
done
echo ready
read -r _ || true
