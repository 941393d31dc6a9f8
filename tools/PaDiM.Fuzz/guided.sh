#!/usr/bin/env bash
# Fuzzing guided by coverage: afl-fuzz (Debian: afl++) drives the readers, whose assemblies SharpFuzz has instrumented.
#
#     tools/PaDiM.Fuzz/guided.sh images|models CORPUS SECONDS OUT
#
# OUT is new, or of a run before, which goes on. What ends a process, throws anything but a refusal, or takes longer than 10 s lies in
# OUT/findings/default/crashes and hangs; the exit code is 1 then.
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
    # afl-fuzz takes nothing above 1 MB, and learns most from small files.
    find "$corpus" -maxdepth 1 -type f ! -name '*.json' ! -name '*.rgb' -size -200k -exec cp -t "$input" {} +
fi
# The program is a script around a managed assembly, which afl-fuzz's checks for instrumentation cannot see.
AFL_SKIP_BIN_CHECK=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 \
    afl-fuzz -i "$input" -o "$out/findings" -t 10000 -m none -V "$seconds" -- dotnet "$out/program/PaDiM.Fuzz.dll" "$target" guided
grep -E '^(execs_done|execs_per_sec|corpus_count|corpus_found|saved_crashes|saved_hangs|bitmap_cvg) ' "$out/findings/default/fuzzer_stats"
! grep -qE '^saved_(crashes|hangs) *: [1-9]' "$out/findings/default/fuzzer_stats"
