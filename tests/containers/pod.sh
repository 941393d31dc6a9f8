#!/usr/bin/env bash
# Runs podman where a machine mounts both kinds of control groups, or is a container itself: in a mount namespace that
# has version 2 alone, without control groups of its own.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export CONTAINERS_CONF=${CONTAINERS_CONF:-$here/containers.conf}
exec unshare --mount --propagation private bash -c '
    umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit 125
    exec podman "$@"' pod "$@"
