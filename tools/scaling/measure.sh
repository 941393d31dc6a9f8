#!/usr/bin/env bash
# measure.sh [CATEGORIES]: what one replica costs PostgreSQL and itself while it does nothing but look for changes, at so
# many categories (10000), and how many bytes a row takes. Needs the built service and Debian's postgresql. The figures of
# docs/scaling.md come from it.
set -euo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
count=${1:-10000}
seconds=30
port=${PORT:-54329}
work=$(mktemp -d)
chmod 755 "$work"
bin=$(find /usr/lib/postgresql/*/bin -maxdepth 0 | sort -V | tail -n 1)
as=()
if [ "$(id -u)" = 0 ]; then
    chown postgres "$work"
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
service=
stop() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    "${as[@]}" "$bin/pg_ctl" stop -D "$work/db" -m immediate >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap stop EXIT
cd "$work"
"${as[@]}" "$bin/initdb" -D "$work/db" -U padim -A trust -E UTF8 --no-sync >/dev/null
"${as[@]}" "$bin/pg_ctl" start -w -D "$work/db" -l "$work/log" -o "-p $port -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories= -c fsync=off -c shared_preload_libraries=pg_stat_statements" >/dev/null
sql() { "$bin/psql" -h 127.0.0.1 -p "$port" -U padim -d "${DB:-padim}" -XAtc "$1"; }
DB=postgres sql 'CREATE DATABASE padim' >/dev/null
sql 'CREATE EXTENSION pg_stat_statements' >/dev/null
export Padim__Database__Provider=postgresql
export Padim__Database__ConnectionString="Host=127.0.0.1;Port=$port;Database=padim;Username=padim"
export Padim__DataDirectory=$work/data ASPNETCORE_URLS=http://127.0.0.1:$((port + 1)) Serilog__MinimumLevel__Default=Warning
program=$source/src/PaDiM.Service/bin/Release/net10.0/PaDiM.Service.dll

# start ROLE
start() {
    Padim__Role=$1 dotnet "$program" >"$work/service.log" 2>&1 &
    service=$!
    for _ in $(seq 300); do
        curl -sf -o /dev/null "$ASPNETCORE_URLS/health/ready" && return
        sleep 0.1
    done
    cat "$work/service.log" >&2
    exit 1
}
ticks() { awk '{ print $14 + $15 }' "/proc/$service/stat"; }

# idle ROLE: a row of the table.
idle() {
    start "$1"
    sleep 10
    sql 'SELECT pg_stat_statements_reset()' >/dev/null
    local before
    before=$(ticks)
    sleep "$seconds"
    local cpu=$(((($(ticks) - before) * 1000) / ($(getconf CLK_TCK) * seconds)))
    sql "SELECT '| $1, ' || (SELECT count(*) FROM \"Categories\") || ' categories | ' || round(sum(calls) / $seconds.0, 1) ||
        ' | ' || round((sum(total_exec_time) / $seconds)::numeric, 2) || ' | $cpu |'
        FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat%'"
    kill "$service"
    wait "$service" || true
    service=
}
echo '| replica | statements a second | ms of PostgreSQL a second | ms of CPU of the replica a second |'
echo '|---|---|---|---|'
start both
curl -sf -X PUT "$ASPNETCORE_URLS/v1/categories/c0" >/dev/null
curl -sf -H 'Content-Type: image/png' --data-binary "@$source/docs/images/flange.png" \
    "$ASPNETCORE_URLS/v1/categories/c0/images" >/dev/null
kill "$service"
wait "$service" || true
idle score
idle both
# As the service writes them, so that the bytes of a row are right.
sql "INSERT INTO \"Categories\" SELECT 'c' || i, \"FalseRejectRate\", \"IgnoreMaskSha256\", \"Pinned\", \"ActiveVersion\",
        \"LastVersion\", \"Revision\", \"CreatedAt\", \"UpdatedAt\", \"Settings\"
        FROM \"Categories\", generate_series(1, $count - 1) AS i;
    CREATE TEMP TABLE image AS SELECT * FROM \"Images\" LIMIT 1;
    INSERT INTO \"Images\" SELECT (image).* FROM (
        SELECT jsonb_populate_record(NULL::\"Images\", to_jsonb(image) || jsonb_build_object(
            'Id', lpad(to_hex(i), 32, '0'), 'Category', 'c' || i % $count, 'Sha256', encode(sha256(i::text::bytea), 'hex'),
            'PixelSha256', encode(sha256((-i)::text::bytea), 'hex'), 'FileName', 'part-' || i || '.png')) AS image
        FROM image, generate_series(1, 200000) AS i) AS made;
    INSERT INTO \"Jobs\" (\"Id\", \"Kind\", \"Category\", \"Request\", \"State\", \"Progress\", \"CreatedAt\", \"Attempts\",
        \"CancelRequested\", \"Fence\")
        SELECT lpad(to_hex(i), 32, '0'), 'Fit', 'c' || i % $count, '{}', 'Succeeded', 1, now(), 1, false, 1
        FROM generate_series(1, 50000) AS i;" >/dev/null
sql 'VACUUM FULL ANALYZE' >/dev/null
idle score
idle both
echo
echo '| table | rows | bytes a row, with its indexes |'
echo '|---|---|---|'
for table in Categories Images Jobs; do
    sql "SELECT '| $table | ' || count(*) || ' | ' || pg_total_relation_size('\"$table\"') / count(*) || ' |' FROM \"$table\""
done
