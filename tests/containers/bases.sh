#!/usr/bin/env bash
# bases.sh DOCKERFILE FOLDER: creates stand-ins for the base images that a Dockerfile names, under those names, from
# Debian packages and the .NET of this machine. They show that the Dockerfile builds and what its image may do; they
# are not the real base images.
set -euo pipefail
file=$(realpath "$1")
mkdir -p "$2"
cd "$2"
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")

# Prints the name of the base image that matches, with the defaults of the Dockerfile's arguments filled in.
base() {
    local cuda
    cuda=$(sed -n 's/^ARG CUDA_IMAGE=//p' "$file")
    sed "s|\${CUDA_IMAGE}|$cuda|" "$file" | sed -nE "s/^FROM ($1) AS .*/\1/p" | head -n 1
}

# image NAME ROOT FOLDER...: a root file system, and folders of this machine under their own names (or FROM:TO).
image() {
    local name=$1 root=$2 container folder
    shift 2
    container=$(buildah from scratch)
    buildah add -q "$container" "$root" / >/dev/null
    for folder in "$@"; do
        buildah add -q "$container" "${folder%%:*}" "${folder##*:}" >/dev/null
    done
    buildah config \
        --env PATH=/usr/share/dotnet:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        --env APP_UID=1654 --env DOTNET_RUNNING_IN_CONTAINER=true --env ASPNETCORE_HTTP_PORTS=8080 "$container"
    buildah commit -q --rm "$container" "$name" >/dev/null
}

[ -f rootfs.tar ] || mmdebstrap -q --variant=minbase \
    --include=ca-certificates,libicu72,libssl3,zlib1g,libstdc++6,tzdata bookworm rootfs.tar
runtime=()
for part in dotnet host shared; do runtime+=("$dotnet/$part:/usr/share/dotnet/$part"); done
image "$(base '[^ ]*sdk:[^ ]+')" "$PWD/rootfs.tar" "$dotnet:/usr/share/dotnet"
image "$(base '[^ ]*aspnet:[0-9.]+-[a-z]+')" "$PWD/rootfs.tar" "${runtime[@]}"
# Without CUDA: the GPU build falls back to the CPU in it.
image "$(base '[^ ]*cuda:[^ ]+')" "$PWD/rootfs.tar"

# A base without a shell and a package manager: what .NET links against, certificates, time zones, users.
root=$PWD/chiseled
rm -rf "$root"
mkdir -p "$root"/{etc/ssl/certs,tmp,home/app,usr/lib,usr/lib64,usr/share,usr/bin,proc,sys,dev,run,var}
chmod 1777 "$root/tmp"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
folder=/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo x86_64-linux-gnu)
extra=()
for name in libssl.so.3 libcrypto.so.3 libz.so.1 libresolv.so.2 libnss_dns.so.2 libnss_files.so.2; do
    extra+=("$folder/$name")
done
{
    printf '%s\n' "${extra[@]}"
    find "$dotnet/shared" "$dotnet/host" -name '*.so*' -print0 | xargs -0 ldd "$dotnet/dotnet" "${extra[@]}" 2>/dev/null
} | grep -oE '/(usr/)?lib(64)?/[^ :]+\.so[^ :]*' | sort -u | while read -r library; do
    target=$root$(dirname "${library/#\/lib/\/usr\/lib}")
    mkdir -p "$target"
    cp -L "$library" "$target/"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp -rL /usr/share/zoneinfo "$root/usr/share/"
cp /etc/os-release "$root/etc/"
printf 'root:x:0:0:root:/root:/sbin/nologin\napp:x:1654:1654::/home/app:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\napp:x:1654:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
chown 1654:1654 "$root/home/app"
image "$(base '[^ ]*aspnet:[^ ]+-chiseled')" "$root" "${runtime[@]}"
