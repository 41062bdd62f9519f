# The public calls of C headers. Private: what only other macros of the headers use.

function is_private(name)
{
    return name ~ /^(X|WEIR_HERE_TEXT_?|WEIR_(RAW|JOIN|CHAIN_PASTE)_[0-9]|WEIR_CHAIN_N_?|WEIR_[A-Z]+_H)$/
}

function macro(line,    name, params)
{
    sub(/^# *define +/, "", line)
    name = line
    sub(/[^A-Za-z0-9_].*/, "", name)
    if (is_private(name) || substr(line, length(name) + 1, 1) != "(")
        return
    params = substr(line, length(name) + 2)
    sub(/\).*/, "", params)
    print "macro " name "||" split_params(params, 1)
}

function statement(s,    name, ret, params)
{
    s = trim(s)
    gsub(/ *__attribute__ *\(\(.*\)\)/, "", s)
    if (s !~ /^(WEIR_API|static inline) [^(]*\(.*\)$/)
        return
    gsub(/(WEIR_API|WEIR_MUST_USE|static|inline) /, "", s)
    ret = name = substr(s, 1, index(s, "(") - 1)
    sub(/^.*[ *]/, "", name)
    ret = trim(substr(ret, 1, length(ret) - length(name)))
    params = substr(s, index(s, "(") + 1)
    sub(/\)$/, "", params)
    print "fn " name "|" ret "|" split_params(params, 0)
}

function finish_file(    i, c, depth, s)
{
    while (match(text, /\/\*([^*]|\*+[^*\/])*\*+\//))
        text = substr(text, 1, RSTART - 1) " " substr(text, RSTART + RLENGTH)
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (depth == 0 && (c == ";" || c == "{")) {
            statement(s)
            s = ""
        } else if (depth == 0) {
            s = s c
        }
        depth += (c == "{") - (c == "}")
        if (c == "}" && depth == 0)
            s = ""
    }
    text = ""
}

FNR == 1 { finish_file() }
held != "" { $0 = held $0; held = "" }
/\\$/ { held = substr($0, 1, length($0) - 1); next }
/^# *define/ { macro($0) }
/^ *#/ { next }
{ text = text $0 "\n" }
END { finish_file() }
