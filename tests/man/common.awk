# What the readers of headers and of pages share: both print one line a call,
#   fn NAME|RETURN TYPE|PARAMETER;PARAMETER      macro NAME||PARAMETER NAME;...

function trim(s)
{
    gsub(/[ \t\n]+/, " ", s)
    sub(/^ /, "", s)
    sub(/ $/, "", s)
    return s
}

# The name in a declaration of a parameter: `fn` of "void (*fn)(void *arg)", `n` of "unsigned n".
function name_of(param)
{
    if (match(param, /\(\*[A-Za-z0-9_]+\)/))
        return substr(param, RSTART + 2, RLENGTH - 3)
    sub(/^.*[ *]/, "", param)
    return param
}

# "int a, void (*b)(int, int)" to "int a;void (*b)(int, int)"; only their names if bare is set.
function split_params(s, bare,    i, c, depth, one, all)
{
    s = s ","
    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        depth += (c == "(") - (c == ")")
        if (c != "," || depth > 0) {
            one = one c
            continue
        }
        one = trim(one)
        all = all (all == "" ? "" : ";") (bare ? name_of(one) : one)
        one = ""
    }
    return all
}
