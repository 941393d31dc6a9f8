#!/usr/bin/env bash
# check.sh [FOLDER]: builds both images of the Dockerfile with buildah, runs them with podman as production would, and
# goes through the README's first steps in the CPU image. Needs root, and the Debian packages buildah, podman, crun,
# mmdebstrap, netavark, aardvark-dns and catatonit. Says so and ends well where containers cannot run at all.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
work=$(realpath -m "${1:-${TMPDIR:-/tmp}/padim-containers}")
port=${PORT:-18091}
api=http://127.0.0.1:$port
mkdir -p "$work"

fail() {
    echo "Containers: $*" >&2
    exit 1
}
skip() {
    echo "Containers: skipped, $*"
    exit 0
}
# A store of its own: the stand-ins have the names of the real base images, and all of it goes at the end.
export CONTAINERS_STORAGE_CONF=$work/storage.conf
cat >"$CONTAINERS_STORAGE_CONF" <<C
[storage]
driver = "overlay"
graphroot = "$work/storage"
runroot = "$work/run"
C
clean_up() {
    "$here/pod.sh" rm -f -t 0 padim-cpu padim-gpu >/dev/null 2>&1 || true
    # Deepest first. What a process still holds goes with it.
    awk -v below="$work/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r umount -l || true
    rm -rf "$work/storage" "$work/run" "$work/chiseled" || true
}
trap clean_up EXIT
for program in buildah podman crun mmdebstrap; do
    command -v "$program" >/dev/null || skip "$program is not installed"
done
[ "$(id -u)" = 0 ] || skip "the check needs root"
"$here/pod.sh" info >/dev/null 2>&1 || skip "podman cannot run on this machine"

"$here/bases.sh" "$source/Dockerfile" "$work" || skip "stand-ins for the base images cannot be made here"

# build NAME TARGET ARGUMENT...: sees the packages and the package sources of this machine, nothing else of it.
build() {
    local name=$1 target=$2 argument arguments=()
    shift 2
    for argument in "$@"; do arguments+=(--build-arg "$argument"); done
    local volumes=(-v "$HOME/.nuget:/root/.nuget" -v /etc/ssl/certs:/etc/ssl/certs:ro)
    buildah bud -q --pull-never --isolation chroot "${volumes[@]}" --target "$target" "${arguments[@]}" \
        -t "$name" "$source" >"$work/$name.log" 2>&1 || { tail -n 20 "$work/$name.log" >&2; fail "$name was not built"; }
}

# start NAME IMAGE OPTION...: without a writable root, capabilities or new privileges, as docker-compose.yml does.
start() {
    local name=$1 image=$2
    shift 2
    "$here/pod.sh" rm -f -t 0 "$name" >/dev/null 2>&1 || true
    "$here/pod.sh" run -d --name "$name" --network host --read-only --tmpfs /tmp --cap-drop ALL \
        --security-opt no-new-privileges -v "$name:/data" -e "ASPNETCORE_HTTP_PORTS=$port" "$@" "$image" >/dev/null
}
wait_ready() {
    for _ in $(seq 240); do
        curl -sf -o /dev/null "$api/health/ready" && return
        sleep 0.25
    done
    "$here/pod.sh" logs "$1" >&2 || true
    fail "$1 does not get ready"
}
# stop NAME: SIGTERM ends it with exit code 0.
stop() {
    "$here/pod.sh" stop -t 30 "$1" >/dev/null
    local code
    code=$("$here/pod.sh" inspect "$1" --format '{{.State.ExitCode}}')
    [ "$code" = 0 ] || fail "$1 ended with exit code $code"
    "$here/pod.sh" rm "$1" >/dev/null
    "$here/pod.sh" volume rm "$1" >/dev/null
}
echo "Containers: the CPU image"
build padim-cpu cpu
start padim-cpu padim-cpu
wait_ready padim-cpu
[ "$(curl -s -o /dev/null -w '%{http_code}' "$api/v1/categories")" = 401 ] || fail "a container without keys answers"
key=$("$here/pod.sh" exec padim-cpu dotnet /app/PaDiM.Service.dll keys create --name check --scope admin 2>/dev/null |
    grep -oE 'padim_[A-Za-z0-9_-]+' | head -n 1)
[ -n "$key" ] || fail "no key was created"
call() { curl -sf -H "X-Api-Key: $key" "$@"; }
parts=$work/parts
[ -d "$parts" ] || dotnet run -c Release --project "$source/src/PaDiM.Cli" -- samples "$parts" >/dev/null
call -X PUT "$api/v1/categories/flange" >/dev/null
# shellcheck disable=SC2046
call $(printf -- '-F files=@%s ' "$parts"/train/good/*) "$api/v1/categories/flange/images" >/dev/null
job=$(call -X POST "$api/v1/categories/flange/fits" -o /dev/null -w '%header{location}')
call -N "$api$job/events" >/dev/null
part=$(find "$parts/test/scratch" -name '*.png' | sort | head -n 1)
decision=$(call --data-binary "@$part" -H 'Content-Type: image/png' "$api/v1/categories/flange/score" |
    grep -oE '"decision": *"[a-z]+"')
[[ $decision == *anomalous* ]] || fail "a scratched part is $decision"
call --data-binary "@$part" -H 'Content-Type: image/png' -H 'Accept: image/png' "$api/v1/categories/flange/score" \
    -o "$work/heatmap.png"
user=$("$here/pod.sh" inspect padim-cpu --format '{{.Config.User}}')
[ "$user" = 1654 ] || fail "it runs as $user"
! "$here/pod.sh" exec padim-cpu /bin/sh -c true 2>/dev/null || fail "the image has a shell"
mount=$(buildah mount "$(buildah from --name padim-look padim-cpu)")
bytes=$(du -sb "$mount/app" | cut -f1)
components=$(grep -c '"bom-ref"' "$mount/app/sbom.cdx.json" || true)
buildah rm padim-look >/dev/null
[ "$bytes" -le $((130 << 20)) ] || fail "the program has $((bytes >> 20)) MiB, more than 130"
[ "$components" -ge 20 ] || fail "the bill of materials names $components components"
title=$("$here/pod.sh" inspect padim-cpu --format '{{index .Config.Labels "org.opencontainers.image.title"}}')
[ "$title" = PaDiM.Service ] || fail "the image has no labels"
stop padim-cpu
echo "Containers: the CPU image works; the program has $((bytes >> 20)) MiB, its bill of materials $components components"

echo "Containers: the GPU image"
build padim-gpu gpu ONNX_RUNTIME=Microsoft.ML.OnnxRuntime.Gpu
start padim-gpu padim-gpu -e Padim__Device=auto
wait_ready padim-gpu
# Into a variable: grep would close the pipe at its first match.
log=$("$here/pod.sh" logs padim-gpu 2>&1)
[[ $log == *"scores on the CPU"* ]] || fail "the GPU image does not log why it uses the CPU"
mount=$(buildah mount "$(buildah from --name padim-look padim-gpu)")
libraries=$(find "$mount/app" -name 'onnxruntime*.dll' | wc -l)
bytes=$(du -sb "$mount/app" | cut -f1)
buildah rm padim-look >/dev/null
[ "$libraries" = 0 ] || fail "the GPU image has libraries of Windows"
stop padim-gpu
start padim-gpu padim-gpu
code=$("$here/pod.sh" wait padim-gpu)
log=$("$here/pod.sh" logs padim-gpu 2>&1)
[ "$code" = 1 ] || fail "without a GPU, 'cuda' ends with exit code $code"
[[ $log == *"'cuda' was requested"* ]] || fail "without a GPU, 'cuda' says: $log"
echo "Containers: the GPU image works without a GPU; the program has $((bytes >> 20)) MiB"
