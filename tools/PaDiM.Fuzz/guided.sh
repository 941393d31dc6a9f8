#!/usr/bin/env bash
# Coverage-guided fuzzing: afl-fuzz (Debian: afl++) drives the readers, whose assemblies SharpFuzz has instrumented.
#
#     tools/PaDiM.Fuzz/guided.sh images|models CORPUS SECONDS OUT
#
# OUT is a new folder, or that of a previous run, which is resumed. Inputs that end the process, throw anything but a refusal, or take
# longer than 10 s are in OUT/findings/default/crashes and hangs; the exit code is then 1.
set -euo pipefail
if [ $# -ne 4 ] || ! command -v afl-fuzz >/dev/null; then
    echo "usage: guided.sh images|models CORPUS SECONDS OUT (afl-fuzz must be there: apt-get install afl++)" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
target=$1 corpus=$(realpath "$2") seconds=$3
mkdir -p "$4"
out=$(realpath "$4")
rm -rf "$out/program"
dotnet publish -c Release -o "$out/program" "$here/PaDiM.Fuzz.csproj"
[ -x "$out/tool/sharpfuzz" ] || dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$out/tool"
for assembly in PaDiM.Core PaDiM.Imaging PaDiM.Engine; do "$out/tool/sharpfuzz" "$out/program/$assembly.dll"; done

if [ -d "$out/findings" ]; then
    input=-
else
    mkdir -p "$out/corpus"
    input=$out/corpus
    # afl-fuzz accepts no files above 1 MB, and learns most from small ones.
    find "$corpus" -maxdepth 1 -type f ! -name '*.json' ! -name '*.rgb' -size -200k -exec cp -t "$input" {} +
fi
# afl-fuzz cannot see the instrumentation of a managed assembly, so its check is disabled.
AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 \
    afl-fuzz -i "$input" -o "$out/findings" -t 10000 -m none -V "$seconds" -- dotnet "$out/program/PaDiM.Fuzz.dll" "$target" guided
grep -E '^(execs_done|execs_per_sec|corpus_count|corpus_found|saved_crashes|saved_hangs|bitmap_cvg) ' "$out/findings/default/fuzzer_stats"
! grep -qE '^saved_(crashes|hangs) *: [1-9]' "$out/findings/default/fuzzer_stats"
