#!/usr/bin/env bash
# pack.sh FOLDER [IMAGES]: packs the GPU check into FOLDER, for a machine with an NVIDIA GPU and without a network: a
# self-contained program with ONNX Runtime's GPU build, sample images (or those of the folder IMAGES), and check.sh, in
# parts of at most 60 MB.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
out=$(realpath -m "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/gpu-check" "$work/source"
# From a copy: the restore with another package changes lock files and the build's state.
(cd "$source" && git ls-files -z --cached --others --exclude-standard | xargs -0 tar --ignore-failed-read -cf -) | tar -C "$work/source" -xf -
dotnet publish "$work/source/bench/PaDiM.Bench" -c Release -r linux-x64 --self-contained true -o "$work/gpu-check/bench" \
    -p:OnnxRuntimePackage=Microsoft.ML.OnnxRuntime.Gpu -p:RestoreLockedMode=false >&2
if [ -n "${2:-}" ]; then
    cp -r "$2" "$work/gpu-check/images"
else
    dotnet run -c Release --project "$source/src/PaDiM.Cli" -- samples "$work/parts" >&2
    cp -r "$work/parts/train/good" "$work/gpu-check/images"
fi
cp "$here/check.sh" "$work/gpu-check/"
tar -C "$work" -czf - gpu-check | split --bytes=60MB --numeric-suffixes - "$out/gpu-check.tar.gz."
ls -l "$out"
