# What mdoc pages say: the calls in SYNOPSIS (common.awk), and a line
#   field NAME    for each argument or field that is spoken of

# The arguments of a macro line, quoted or not, as a list for split_params().
function arguments(s,    all, one)
{
    while ((s = trim(s)) != "") {
        if (substr(s, 1, 1) == "\"") {
            s = substr(s, 2)
            one = substr(s, 1, index(s, "\"") - 1)
            s = substr(s, index(s, "\"") + 1)
        } else {
            one = s
            sub(/ .*/, "", one)
            s = substr(s, length(one) + 1)
        }
        all = all (all == "" ? "" : ",") one
    }
    return all
}

# A macro with a result is written like a function: both readings are printed.
function call(name, params)
{
    print "macro " name "||" split_params(params, 1)
    if (ret != "")
        print "fn " name "|" ret "|" split_params(params, 0)
    ret = ""
}

function rest(n,    s)
{
    s = $0
    while (n-- > 0)
        sub(/^[^ ]+ */, "", s)
    return s
}

FNR == 1 { ret = "" }
/^\.(.* )?Fa / {
    for (i = 2; i <= NF; i++)
        if ($i ~ /^[a-z_0-9]+$/)
            print "field " $i
}
/^\.Sh / { in_synopsis = $2 == "SYNOPSIS" }
!in_synopsis { next }
/^\.Ft / { ret = arguments(rest(1)); gsub(/,/, " ", ret) }
/^\.Fn / { call($2, arguments(rest(2))) }
/^\.Fo / { name = $2; params = "" }
/^\.Fa / { params = params (params == "" ? "" : ",") arguments(rest(1)) }
/^\.Fc/ { call(name, params) }
