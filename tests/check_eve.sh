#!/bin/sh
# Records of eve.json have the form that doc/eve.md tells of: those that whole runs expect, and those
# of the built captures with all that can be switched on.
set -u
: "${srcdir:?}" "${builddir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! command -v python3 >/dev/null; then
    echo '1..0 # SKIP no python3'
    exit 0
fi
echo 1..5
n=0
result() { # OK NAME: one line, and what was said
    n=$((n + 1))
    [ "$1" -eq 0 ] || echo "not ok $n - $2"
    [ "$1" -ne 0 ] || echo "ok $n - $2"
    head -n 30 "$work/said" | sed 's/^/# /'
}

python3 "$srcdir/tests/eve.py" --expected "$srcdir"/tests/verify/ids-*/expected >"$work/said" 2>&1
result $? 'records that whole runs expect'

# a checker that finds nothing would like anything
for fault in 's/"timestamp"/"time"/' 's/+0000"/Z"/' 's/"ip_v":4/"ip_v":"4"/' 's/"proto"/"prot"/' \
    's/"age":/"aged":/' 's/}$//' 's/"flow_id":/"flow_id":-/'; do
    sed -n 's/^{"timestamp".*"event_type":"flow".*/&/p' "$srcdir/tests/verify/ids-tour/expected" |
        head -n 1 | sed "$fault" >"$work/faulty"
    ! python3 "$srcdir/tests/eve.py" "$work/faulty" >"$work/said" || { echo "$fault" >"$work/unseen"; break; }
done
[ ! -e "$work/unseen" ]
result $? 'faults are found'

python3 "$srcdir/tests/eve.py" --documented "$srcdir/doc/eve.md" >"$work/said" 2>&1
result $? 'doc/eve.md has all keys'

if [ ! -x "$builddir/weir-ids" ]; then
    echo 'ok 4 - records of all captures # SKIP no weir-ids'
    echo 'ok 5 - records of all captures, with all switched on # SKIP no weir-ids'
    exit 0
fi
set -- # -r CAPTURE for each
for capture in "$builddir"/pcaps/*.pcap; do
    set -- "$@" -r "$capture"
done
"$builddir/weir-ids" -q -S "$srcdir/pcaps/example.rules" -l "$work/plain" "$@" >"$work/said" 2>&1 &&
    python3 "$srcdir/tests/eve.py" "$work/plain/eve.json" >"$work/said" 2>&1
result $? 'records of all captures'
"$builddir/weir-ids" -q -S "$srcdir/pcaps/example.rules" -l "$work/all" --set outputs.flow-event=yes \
    --set outputs.eve-log.ethernet=yes --set outputs.eve-log.pcap-file=yes \
    --set outputs.eve-log.alert.metadata.rule.raw=yes \
    --set outputs.eve-log.http.dump-all-headers=both --set stats.interval=1 "$@" >"$work/said" 2>&1 &&
    python3 "$srcdir/tests/eve.py" "$work/all/eve.json" >"$work/said" 2>&1
result $? 'records of all captures, with all switched on'
