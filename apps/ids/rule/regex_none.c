/* Where there is no PCRE2: no expression is taken. */
#include "rule/regex.h"

int
regex_new(struct text pattern, unsigned flags, struct regex **out, struct weir_errbuf *err)
{
    (void)pattern, (void)flags;
    *out = NULL;
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "weir-ids was built without PCRE2");
}

void
regex_free(struct regex *regex)
{
    (void)regex;
}

int
regex_scratch_new(struct regex_scratch **out)
{
    *out = NULL;
    return WEIR_E_OK;
}

void
regex_scratch_free(struct regex_scratch *scratch)
{
    (void)scratch;
}

enum regex_answer
regex_find(const struct regex *regex, struct regex_scratch *scratch,
           const struct regex_bytes *bytes, size_t from, size_t at[2])
{
    (void)regex, (void)scratch, (void)bytes, (void)from, (void)at;
    return REGEX_NO;
}

unsigned
regex_groups(const struct regex *regex)
{
    (void)regex;
    return 0;
}

const char *
regex_named(const struct regex *regex, unsigned i, unsigned *group)
{
    (void)regex, (void)i, (void)group;
    return NULL;
}

bool
regex_captured(const struct regex_scratch *scratch, unsigned group, size_t at[2])
{
    (void)scratch, (void)group, (void)at;
    return false;
}

enum regex_answer
regex_group(const struct regex *regex, struct regex_scratch *scratch,
            const struct regex_bytes *bytes, size_t at[2])
{
    (void)regex, (void)scratch, (void)bytes, (void)at;
    return REGEX_NO;
}
