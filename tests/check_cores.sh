#!/bin/sh
# The same bytes come out for any number of cores: of weir and of weir-ids, with rules that are of one
# flow, and with all that crosses flows: thresholds, xbits, hostbits, tags, detectors, counters.
set -u
: "${srcdir:?}" "${builddir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cores=${CORES:-2 3 4 5 6 7 8}
echo 1..10
n=0
result() { # OK NAME: one line, and what was said
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
    head -n 20 "$work/said" | sed 's/^/# /'
}

# All captures, several times: so many packets that cores are far apart.
set --
for _ in 1 2 3; do
    for capture in "$builddir"/pcaps/*.pcap "$builddir"/pcaps/*.pcapng; do
        [ ! -f "$capture" ] || set -- "$@" -r "$capture"
    done
done

# Whether FILES of the folder of one core are the same in that of several.
same() { # CORES FILES
    several=$1
    shift
    for file; do
        cmp "$work/1/$file" "$work/$several/$file" >>"$work/said" 2>&1 && continue
        diff "$work/1/$file" "$work/$several/$file" 2>&1 | cut -c 1-300 | head -n 4 >>"$work/said"
        echo "$file: -j $several" >>"$work/said"
    done
}

weir() { # CORES INPUTS: a folder with what weir writes
    mkdir -p "$work/$1"
    j=$1
    shift
    "$builddir/weir" -q -j "$j" --json --events all -w "$work/$j/kept.pcapng" "$@" \
        >"$work/$j/events" 2>>"$work/said"
    echo $? >"$work/$j/code"
}

: >"$work/said"
weir 1 "$@"
for many in $cores; do
    weir "$many" "$@"
    same "$many" events kept.pcapng code
done
[ "$(wc -l <"$work/1/events")" -gt 1000 ] || echo 'too few events' >>"$work/said"
[ ! -s "$work/said" ]
result $? 'events of weir'

# a signal ends a replay that waits for a pipe, whichever core has had most to do before
: >"$work/said"
mkfifo "$work/pipe"
awk 'BEGIN {
    for (i = 0; i < 4000; i++)
        printf "flow tcp 172.16.%d.%d:%d > 10.0.0.1:80\n%.6f > SYN\n", i % 200, i / 200 + 1, 1024 + i, i * 0.001
}' >"$work/long.pkt"
"$builddir/pcaps/weir-mkpcap" "$work/long.pkt" "$work/long.pcap" 2>>"$work/said" ||
    echo 'no capture' >>"$work/said"
for many in 1 2 4 64; do
    for bytes in 0 10 24 5000 50000 200000; do
        "$builddir/weir" -q -j "$many" --events all -r "$work/pipe" >/dev/null 2>>"$work/said" &
        waits=$!
        exec 3<>"$work/pipe"
        timeout 10 head -c "$bytes" "$work/long.pcap" >&3
        sleep 0.2
        kill -TERM "$waits"
        for tenth in $(seq 100) more; do
            kill -0 "$waits" 2>/dev/null || break
            sleep 0.1
        done
        [ "$tenth" != more ] || echo "-j $many waits for what follows $bytes bytes" >>"$work/said"
        exec 3>&-
        wait "$waits"
        code=$?
        [ $code -eq 143 ] || echo "-j $many, $bytes bytes: $code" >>"$work/said"
    done
done
[ ! -s "$work/said" ]
result $? 'signals while nothing comes'

# what some cores have begun before address space ran out waits for nobody
: >"$work/said"
for many in 1 2 8 64; do
    "$builddir/weir" -q -j "$many" --memcap 64TiB -r "$work/long.pcap" >/dev/null 2>"$work/why" &
    fails=$!
    for tenth in $(seq 100) more; do
        kill -0 "$fails" 2>/dev/null || break
        sleep 0.1
    done
    [ "$tenth" != more ] || kill -KILL "$fails"
    wait "$fails"
    code=$?
    [ $code -eq 1 ] || echo "-j $many: $code" >>"$work/said"
    grep -q 'out of memory' "$work/why" || cat "$work/why" >>"$work/said"
done
[ ! -s "$work/said" ]
result $? 'no room for all cores'

if [ ! -x "$builddir/weir-ids" ]; then
    for name in flow cross each differences prads flood limits; do
        n=$((n + 1))
        echo "ok $n - $name # SKIP no weir-ids"
    done
    exit 0
fi

ids() { # CORES RULES INPUTS: a folder with what weir-ids writes
    j=$1 tested=$2
    shift 2
    rm -rf "${work:?}/$j"
    mkdir -p "$work/$j"
    "$builddir/weir-ids" --init-errors-fatal -j "$j" -l "$work/$j" -S "$tested" \
        -w "$work/$j/kept.pcapng" \
        --set threshold-file="$work/threshold.config" --set outputs.flow-event=yes \
        --set stats.interval=1 --set detectors.port-scan.ports=2 --set detectors.syn-flood.count=2 \
        --set detectors.brute-force.count=1 --set detectors.fake-retransmit.count=1 \
        --set detectors.rst-injection.count=1 "$@" 2>"$work/$j/all" >&2
    echo $? >"$work/$j/code"
    # But for what tells of seconds, or, in debug builds, of handlers that took long.
    sed '/ packets\/s$/d; / ran for [0-9]* us$/d' "$work/$j/all" >"$work/$j/notices"
}
all_files='eve.json fast.log kept.pcapng notices code'

cat >"$work/flow.rules" <<'END'
alert tcp any any -> any any (msg:"content"; content:"HTTP"; sid:1;)
alert tcp any any -> any any (msg:"set"; content:"GET"; flowbits:set,get; noalert; sid:2;)
alert tcp any any -> any any (msg:"is set"; flowbits:isset,get; content:"HTTP"; flowint:n,+,1; sid:3;)
alert http any any -> any any (msg:"http"; http.uri; content:"/"; sid:4;)
alert dns any any -> any any (msg:"dns"; dns.query; content:"."; sid:5;)
alert icmp any any -> any any (msg:"icmp"; sid:6;)
alert ip any any -> any any (msg:"of whom an error quotes"; flow-event:icmp_error; sid:7;)
alert tcp any any -> any any (msg:"fake"; flow-event:fake_retransmit; sid:8;)
pass icmp any any -> any any (msg:"the error itself"; itype:3; sid:9;)
END
cat >"$work/cross.rules" <<'END'
alert ip any any -> any any (msg:"both"; threshold: type both, track by_src, count 3, seconds 2; sid:1;)
alert tcp any any -> any any (msg:"limit"; flags:S; threshold: type limit, track by_dst, count 2, seconds 5; sid:2;)
alert tcp any any -> any any (msg:"set"; flow:established; xbits:set,seen,track ip_src,expire 3; noalert; sid:3;)
alert ip any any -> any any (msg:"is set"; xbits:isset,seen,track ip_src; sid:4;)
alert ip any any -> any any (msg:"is not set"; xbits:isnotset,seen,track ip_dst; threshold: type threshold, track by_both, count 2, seconds 60; sid:5;)
alert tcp any any -> any any (msg:"pair"; flags:S; xbits:set,pair,track ip_pair,expire 10; hostbits:set,host,src; sid:6;)
alert tcp any any -> any any (msg:"toggle"; flags:A; hostbits:toggle,host,dst; xbits:toggle,pair,track ip_pair; noalert; sid:7;)
alert tcp any any -> any any (msg:"host"; hostbits:isset,host,src; content:"e"; sid:8;)
alert tcp any any -> any any (msg:"tag host"; flags:S; tag:host,3,packets,src; sid:9;)
alert udp any any -> any any (msg:"tag session"; tag:session,2,seconds; sid:10;)
alert tcp any any -> any any (msg:"filter"; content:"a"; detection_filter: track by_src, count 2, seconds 10; sid:11;)
alert ip any any -> any any (msg:"rate"; sid:20;)
END
cat >"$work/threshold.config" <<'END'
rate_filter gen_id 1, sig_id 20, track by_src, count 2, seconds 3, new_action drop, timeout 4
suppress gen_id 1, sig_id 6, track by_src, ip 10.0.0.80
END

for rules in flow cross; do
    : >"$work/said"
    ids 1 "$work/$rules.rules" "$@"
    # shellcheck disable=SC2013 # numbers, one a line
    for sid in $(sed '/noalert/d; /^pass/d; s/.*sid:\([0-9]*\);.*/\1/' "$work/$rules.rules"); do
        grep -q "\[1:$sid:0\]" "$work/1/fast.log" || echo "$sid has not alerted" >>"$work/said"
    done
    [ "$(cat "$work/1/code")" -eq 0 ] || cat "$work/1/notices" >>"$work/said"
    for what in '"event_type":"stats"' '"gid":600' ; do
        grep -q "$what" "$work/1/eve.json" || echo "there is no $what" >>"$work/said"
    done
    for many in $cores; do
        ids "$many" "$work/$rules.rules" "$@"
        # shellcheck disable=SC2086
        same "$many" $all_files
    done
    [ ! -s "$work/said" ]
    result $? "records of weir-ids, rules $rules"
done

# in a run of one capture what is at its beginning and its end is seen
: >"$work/said"
for capture in "$builddir"/pcaps/*.pcap; do
    ids 1 "$work/cross.rules" -r "$capture"
    ids 5 "$work/cross.rules" -r "$capture"
    # shellcheck disable=SC2086
    same 5 $all_files
done
[ ! -s "$work/said" ]
result $? 'records of each capture'

# a comparison that finds nothing would like anything
: >"$work/said"
for file in eve.json fast.log kept.pcapng; do
    echo >>"$work/5/$file"
done
# shellcheck disable=SC2086
same 5 $all_files
[ "$(grep -c ': -j 5$' "$work/said")" -eq 3 ]
code=$?
: >"$work/said"
result $code 'differences are found'

# prads beside, which knows all hosts in common
: >"$work/said"
for many in 1 $cores; do
    ids "$many" "$work/flow.rules" --with prads "$@"
    # shellcheck disable=SC2086
    [ "$many" -eq 1 ] || same "$many" $all_files assets.json prads-asset.log
done
[ -s "$work/1/assets.json" ] || echo 'there are no assets' >>"$work/said"
[ ! -s "$work/said" ]
result $? 'records of prads beside'

# SYNs to three servers, of which one in three gets its third step: counts rise and fall about the
# threshold, and time goes back once
: >"$work/said"
awk 'BEGIN {
    for (i = 0; i < 6000; i++) {
        at = i * 0.003 - (i > 4000 ? 2 : 0)
        printf "flow tcp 172.16.%d.%d:%d > 10.0.0.%d:80\n", i % 200, i / 200 + 1, 1024 + i, i * i % 7 % 3 + 1
        printf "%.6f > SYN\n", at
        if (i % 3 == 0 || i % 1000 < 300)
            printf "%.6f < SYN ACK\n%.6f > ACK\n", at + 0.001, at + 0.002
    }
}' >"$work/flood.pkt"
"$builddir/pcaps/weir-mkpcap" "$work/flood.pkt" "$work/flood.pcap" 2>>"$work/said" ||
    echo 'no capture' >>"$work/said"
for count in 60 300; do
    for many in 1 $cores; do
        ids "$many" "$work/flow.rules" -r "$work/flood.pcap" --set detectors.port-scan.enabled=no \
            --set detectors.syn-flood.count=$count --set outputs.flow-event=no
        # shellcheck disable=SC2086
        [ "$many" -eq 1 ] || same "$many" $all_files
    done
    grep -q '\[600:3:1\]' "$work/1/fast.log" || echo "no flood of $count" >>"$work/said"
done
[ ! -s "$work/said" ]
result $? 'counts near the threshold, and far below'

# messages in pieces that come to 17 KiB each, and a part of the flows has five blocks for such
: >"$work/said"
awk 'BEGIN {
    for (i = 0; i < 1500; i++) {
        printf "flow tcp 172.16.%d.%d:%d > 10.0.0.1:53\n", i % 200, i / 200 + 1, 1024 + i
        printf "%.6f > SYN\n+0.0001 < SYN ACK\n+0.0001 > ACK\n", i * 0.001
        printf "+0.0001 > PSH ACK \"\\xf0\\x00\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x01a\\x00\\x00\\x01\\x00\\x01\" fill 17000 \"x\"\n"
    }
}' >"$work/claims.pkt"
"$builddir/pcaps/weir-mkpcap" "$work/claims.pkt" "$work/claims.pcap" 2>>"$work/said" ||
    echo 'no capture' >>"$work/said"
for many in 1 $cores 64; do
    ids "$many" "$work/flow.rules" -r "$work/claims.pcap" --set outputs.flow-event=no
    # shellcheck disable=SC2086
    [ "$many" -eq 1 ] || same "$many" $all_files
done
grep -q 'messages in pieces not read for want of memory' "$work/1/notices" ||
    echo 'all found room' >>"$work/said"
[ ! -s "$work/said" ]
result $? 'limits that are full'
