#!/bin/sh
# SIGUSR2 makes weir-ids load its rules anew under traffic: packets come through a pipe for as long as
# it takes. What addresses are known for goes on; also where several cores have the rules.
set -u
: "${srcdir:?}" "${builddir:?}"
if [ ! -x "$builddir/weir-ids" ]; then
    echo '1..0 # SKIP no weir-ids'
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 1..7
capture=$builddir/pcaps/udp_dns.pcap
head -c 24 "$capture" >"$work/header"
tail -c +25 "$capture" >"$work/packets"
rule() { # FILE SID [OPTIONS]
    echo "alert udp any any -> any 53 (msg:\"a question\"; ${3-} sid:$2;)" >"$1"
}

# Feed packets until it is said there, or for ten seconds.
feed_until() { # FILE WORDS
    i=0
    while [ $i -lt 200 ] && ! grep -qs "$2" "$1"; do
        cat "$work/packets"
        sleep 0.05
        i=$((i + 1))
    done
}

n=0
result() { # OK NAME
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$work/said"; fi
}

mkfifo "$work/pipe"
for cores in 1 3; do
    rule "$work/my.rules" 1 'xbits:set,asked,track ip_src,expire 3600;'
    : >"$work/said"
    rm -f "$work/fast.log"
    "$builddir/weir-ids" -j $cores -l "$work" -S "$work/my.rules" -r - <"$work/pipe" 2>"$work/said" &
    pid=$!
    {
        cat "$work/header"
        feed_until "$work/fast.log" '\[1:1:0\]'
        rule "$work/my.rules" 2 'xbits:isset,asked,track ip_src;'
        kill -USR2 $pid
        feed_until "$work/said" '1 rules loaded'
        cat "$work/packets"
        rm "$work/my.rules"
        kill -USR2 $pid
        feed_until "$work/said" 'stay as they were'
        cat "$work/packets"
    } >"$work/pipe"
    wait $pid
    code=$?
    # the last alert of the first rule comes before the first of the second
    awk '/\[1:1:0\]/ { if (two) exit 1; one = 1 } /\[1:2:0\]/ { two = 1 } END { exit !(one && two) }' \
        "$work/fast.log"
    result $? "other rules take the place of those before, -j $cores"
    grep -q "the rules stay as they were: .*my.rules: " "$work/said"
    result $? "a file that cannot be read changes nothing, -j $cores"
    [ $code -eq 0 ] && grep -q '1 rules loaded, 0 refused, [0-9]* alerts' "$work/said"
    result $? "the run ends well, -j $cores"
done

# the rules come from somebody slow, who is asked for them twice
mkfifo "$work/slow.rules"
"$builddir/weir-ids" -q -l "$work/slow" -S "$work/slow.rules" -r "$capture" 2>"$work/said" &
pid=$!
i=0 # until it has a handler for SIGUSR2, number 12
while [ $i -lt 200 ] && ! grep -qs '^SigCgt:.*[89a-f]..$' "/proc/$pid/status"; do
    sleep 0.05
    i=$((i + 1))
done
kill -USR2 $pid
rule "$work/quick.rules" 1
timeout 20 sh -c "cat '$work/quick.rules' >'$work/slow.rules'; sleep 0.2; cat '$work/quick.rules' >'$work/slow.rules'"
wait $pid
code=$?
[ $code -eq 0 ] && grep -q '\[1:1:0\]' "$work/slow/fast.log"
result $? 'a signal while the first rules are loaded is not lost, and kills nobody'
