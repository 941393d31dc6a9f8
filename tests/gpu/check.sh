#!/usr/bin/env bash
# check.sh [OPTION...]: compares scores on the GPU with those of the CPU (1e-3), and prints latency, images per second
# and memory. On the machine with the GPU, which needs the driver, CUDA 13 and cuDNN 9, and no network:
#
#   cat gpu-check.tar.gz.* | tar -xz && gpu-check/check.sh
#
# Options go to the program, such as --seconds 2, --tensorrt, or --device cpu to try the check without a GPU.
set -euo pipefail
cd "$(dirname "$0")"
export ORT_DISABLE_TELEMETRY=1
if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total,memory.used --format=csv
fi
missing=$(ldd bench/libonnxruntime_providers_cuda.so 2>/dev/null | grep 'not found' || true)
[ -z "$missing" ] || printf 'Libraries that ONNX Runtime needs for CUDA and this machine lacks:\n%s\n' "$missing"
bench/PaDiM.Bench device images "$@"
if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=memory.used,utilization.gpu --format=csv
fi
