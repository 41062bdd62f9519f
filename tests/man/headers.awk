# What C headers promise. Besides the calls (common.awk), a line
#   word NAME     for each public type, constant and macro
#   field NAME    for each field of the structs that callers touch
# Private is what only macros and inline functions of the headers use.

function is_private_macro(name)
{
    return name ~ /^(X|WEIR_HERE_TEXT_?|WEIR_(RAW|JOIN|CHAIN_PASTE)_[0-9]|WEIR_CHAIN_N_?|WEIR_[A-Z]+_H)$/
}

function is_private_type(name)
{
    return name ~ /^weir_(cell|fut_bits)$/
}

function has_private_fields(head)
{
    return head !~ /^struct weir_/ || head ~ /^struct weir_(fut|promise|sem|gate|co|tap|held)$/
}

function words(s, prefix, pattern,    word)
{
    while (match(s, pattern)) {
        word = substr(s, RSTART, RLENGTH)
        s = substr(s, RSTART + RLENGTH)
        sub(/^X\(/, "", word)
        if (!is_private_macro(word) && !is_private_type(word))
            print "word " prefix word
    }
}

function macro(line,    name, params)
{
    sub(/^# *define +/, "", line)
    name = line
    sub(/[^A-Za-z0-9_].*/, "", name)
    if (is_private_macro(name))
        return
    print "word " name
    if (name ~ /^WEIR_[A-Z]+_LIST$/)
        words(line, name == "WEIR_ERR_LIST" ? "WEIR_E_" : "WEIR_EV_", "X\\([A-Z_]+")
    if (substr(line, length(name) + 1, 1) != "(")
        return
    params = substr(line, length(name) + 2)
    sub(/\).*/, "", params)
    print "macro " name "||" split_params(params, 1)
}

function statement(s,    name, ret, params)
{
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

# "uint64_t pkts, bytes" or "void (*report)(void *arg)"
function fields(s,    list, n, i, name)
{
    gsub(/\[[^]]*\]/, "", s)
    n = split(split_params(s, 1), list, ";")
    for (i = 1; i <= n; i++)
        if (list[i] != "")
            print "field " list[i]
}

# s: what is read of the statement at hand; head: what the outermost brace belongs to.
function finish_file(    i, c, depth, s, head)
{
    while (match(text, /\/\*([^*]|\*+[^*\/])*\*+\//))
        text = substr(text, 1, RSTART - 1) " " substr(text, RSTART + RLENGTH)
    words(text, "", "(WEIR|weir)_[A-Za-z0-9_]+")
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c !~ /[;{}]/) {
            s = s c
            continue
        }
        s = trim(s)
        if (depth == 0 && c != "}")
            statement(s)
        if (depth == 0)
            head = s
        else if (c == ";" && s ~ / / && !has_private_fields(head)) # one word: what "}" ended
            fields(s)
        depth += (c == "{") - (c == "}")
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
