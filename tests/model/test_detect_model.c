/*
 * Detection against a plain oracle. Random rules over a small alphabet meet random streams that
 * come in segments cut anywhere, reordered and repeated, or with urgent bytes between; of some
 * flows one or two segments come with other bytes too, and any copy counts. The oracle has the
 * whole stream before it (each that can be made of the copies) and tries every place of every
 * content. When the flow has ended, the same rules must have alerted; where nothing is negated,
 * even before that. Numbers are one byte's last three bits; expressions are contents, written
 * otherwise.
 *
 * Contents that must not be anywhere (without depth or within) are left out of stream rules: what
 * has come decides them, so that the cuts matter.
 */
#include "support/flow_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    STREAM_MAX = 300,
    WANTS_MAX = 4,
    RULES = 8,
    ROUNDS = 500,
    FLOWS = 6,
    CUTS_MAX = 64,
    LIES_MAX = 2
};

/* Where a rule looks. */
enum place { STREAM, SEGMENTS, EITHER, PLACES };

enum number_kind { NO_NUMBER, TESTED, JUMP, EXTRACT };

enum { NUMBERS = 8 }; /* values of a number */

struct want {
    bool is_dataat; /* isdataat:offset */
    bool is_pcre;   /* a content anywhere, or anywhere behind, as an expression */
    enum number_kind number;
    int value;   /* TESTED: less than this */
    bool by_var; /* the offset is what was extracted last */
    bool negated, nocase, relative, ranged, startswith, endswith;
    int offset; /* or distance */
    int length; /* depth or within, if ranged */
    int n;
    char bytes[48];
};

struct spec {
    enum place place;
    int n;
    struct want want[WANTS_MAX];
    int fast; /* the one with fast_pattern; -1: none */
};

static uint64_t
random_below(uint64_t *seed, uint64_t n)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*seed >> 33) % n;
}

static bool
chance(uint64_t *seed, unsigned percent)
{
    return random_below(seed, 100) < percent;
}

/* ---- the oracle ---------------------------------------------------------------------------- */

struct oracle {
    const struct spec *spec;
    const uint8_t *p;
    int n;
    /* By want, cursor and what was extracted last: 0, or the answer + 1. */
    int8_t known[WANTS_MAX + 1][STREAM_MAX + 1][NUMBERS];
};

static uint8_t
fold(uint8_t c, bool nocase)
{
    return nocase && c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool
stands_at(const struct oracle *o, const struct want *want, int at)
{
    if (at < 0 || at + want->n > o->n || (want->endswith && at + want->n != o->n))
        return false;
    for (int i = 0; i < want->n; i++)
        if (fold(o->p[at + i], want->nocase) != fold((uint8_t)want->bytes[i], want->nocase))
            return false;
    return true;
}

static bool holds_from(struct oracle *o, int i, int cursor, int var);

static bool
content_holds(struct oracle *o, const struct want *want, int i, int cursor, int var)
{
    int from = (want->relative ? cursor : 0) + (want->by_var ? var : want->offset);
    int last = want->ranged ? from + want->length - want->n : o->n;
    bool found = false;

    for (int at = from; at <= last && at <= o->n; at++) {
        if (!stands_at(o, want, at))
            continue;
        found = true;
        if (!want->negated && holds_from(o, i + 1, at + want->n, var))
            return true;
    }
    return want->negated && !found && holds_from(o, i + 1, cursor, var);
}

static bool
number_holds_from(struct oracle *o, const struct want *want, int i, int cursor, int var)
{
    int at = (want->relative ? cursor : 0) + (want->by_var ? var : want->offset), number;

    if (at < 0 || at >= o->n)
        return false;
    number = o->p[at] & (NUMBERS - 1);
    if (want->number == TESTED)
        return (number < want->value) != want->negated && holds_from(o, i + 1, cursor, var);
    if (want->number == EXTRACT)
        return holds_from(o, i + 1, at + 1, number);
    return at + 1 + number < o->n && holds_from(o, i + 1, at + 1 + number, var);
}

static bool
holds(struct oracle *o, int i, int cursor, int var)
{
    const struct want *want = &o->spec->want[i];
    bool there;

    if (i == o->spec->n)
        return true;
    if (want->number != NO_NUMBER)
        return number_holds_from(o, want, i, cursor, var);
    if (!want->is_dataat)
        return content_holds(o, want, i, cursor, var);
    there = want->relative ? cursor + want->offset <= o->n : want->offset < o->n;
    return there != want->negated && holds_from(o, i + 1, cursor, var);
}

static bool
holds_from(struct oracle *o, int i, int cursor, int var)
{
    int8_t *known = &o->known[i][cursor][var];

    if (*known == 0)
        *known = (int8_t)(holds(o, i, cursor, var) + 1);
    return *known == 2;
}

static bool
fulfils(const struct spec *spec, const uint8_t *p, int n)
{
    struct oracle o = { .spec = spec, .p = p, .n = n };

    return n > 0 && holds_from(&o, 0, 0, 0);
}

/* Contents that only make sense in a packet make a rule look there too. */
static bool
looks_at_segments(const struct spec *spec)
{
    if (spec->place == EITHER)
        for (int i = 0; i < spec->n; i++) {
            const struct want *want = &spec->want[i];

            if (!want->is_dataat && want->number == NO_NUMBER && !want->relative &&
                (want->ranged || want->startswith || want->by_var || want->offset > 0))
                return true;
        }
    return spec->place == SEGMENTS;
}

/* ---- rules --------------------------------------------------------------------------------- */

static void
random_bytes(uint64_t *seed, struct want *want, const uint8_t *stream, int n)
{
    want->n = 1 + (int)random_below(seed, 4);
    if (n >= 40 && chance(seed, 10))
        want->n = 28 + (int)random_below(seed, 12); /* about what the prefilter takes */
    for (int i = 0; i < want->n; i++)
        want->bytes[i] = "abcAB"[random_below(seed, 5)];
    if (n >= want->n && (want->n > 4 || chance(seed, 70)))
        memcpy(want->bytes, stream + random_below(seed, (uint64_t)(n - want->n + 1)),
               (size_t)want->n);
}

static void
random_place(uint64_t *seed, struct want *want, bool must_end)
{
    unsigned kind = (unsigned)random_below(seed, 6);

    want->relative = kind >= 3;
    if (kind == 1 && !must_end) /* offset alone */
        want->offset = (int)random_below(seed, 40);
    if (kind == 2) {
        want->startswith = true;
        want->ranged = true;
        want->length = want->n;
    }
    if (kind == 3 && !must_end) /* distance alone */
        want->offset = (int)random_below(seed, 30) - 10;
    if (kind >= 4 || (must_end && kind != 2)) {
        want->ranged = true;
        want->offset = chance(seed, 50) ? 0
                       : want->relative ? (int)random_below(seed, 30) - 10
                                        : (int)random_below(seed, 30);
        want->length = want->n + (int)random_below(seed, chance(seed, 80) ? 20 : 400);
    }
}

static void
random_number(uint64_t *seed, struct want *want)
{
    want->number = (enum number_kind)(TESTED + random_below(seed, 3));
    want->relative = chance(seed, 80);
    want->negated = want->number == TESTED && chance(seed, 30);
    want->offset = (int)random_below(seed, 12) - (want->relative ? 4 : 0);
    want->value = 1 + (int)random_below(seed, 4);
}

static void
random_want(uint64_t *seed, const struct spec *spec, struct want *want, const uint8_t *stream,
            int n)
{
    bool packets = spec->place == SEGMENTS;

    *want = (struct want){ .is_dataat = chance(seed, 10), .negated = chance(seed, 25) };
    if (chance(seed, 20)) {
        *want = (struct want){ .is_dataat = false };
        random_number(seed, want);
        return;
    }
    if (want->is_dataat) {
        want->negated = want->negated && packets;
        want->relative = chance(seed, 60);
        want->offset = (int)random_below(seed, want->relative ? 12 : STREAM_MAX);
        return;
    }
    random_bytes(seed, want, stream, n);
    want->nocase = chance(seed, 30);
    want->endswith = packets && chance(seed, 10);
    random_place(seed, want, want->negated && !packets);
}

static void
random_spec(uint64_t *seed, struct spec *spec, const uint8_t *stream, int n)
{
    int positive = 0;
    bool extracted = false;

    spec->place = (enum place)random_below(seed, PLACES);
    spec->n = 1 + (int)random_below(seed, WANTS_MAX);
    spec->fast = -1;
    for (int i = 0; i < spec->n; i++) {
        struct want *want = &spec->want[i];

        random_want(seed, spec, want, stream, n);
        want->by_var = extracted && !want->is_dataat && !want->startswith && want->offset != 0 &&
                       chance(seed, 60);
        extracted |= want->number == EXTRACT;
#ifdef HAVE_PCRE2
        want->is_pcre = !want->is_dataat && want->number == NO_NUMBER && !want->negated &&
                        !want->ranged && !want->endswith && want->offset == 0 && chance(seed, 40);
#endif
        if (!want->is_dataat && !want->is_pcre && want->number == NO_NUMBER && !want->negated &&
            chance(seed, 15) && positive++ == 0)
            spec->fast = i;
    }
}

struct text_out {
    char text[RULES * 1024];
    size_t n;
};

static void
put(struct text_out *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    out->n += (size_t)vsnprintf(out->text + out->n, sizeof(out->text) - out->n, format, args);
    va_end(args);
    assert_true(out->n < sizeof(out->text));
}

/* An offset: a number, or the variable's name. */
static void
put_place(struct text_out *out, const struct want *want, int last)
{
    if (want->by_var)
        put(out, "v%d", last);
    else
        put(out, "%d", want->offset);
}

static void
put_number(struct text_out *out, const struct want *want, int i, int last)
{
    static const char *const name[] = { "", "byte_test", "byte_jump", "byte_extract" };

    put(out, " %s:1,", name[want->number]);
    if (want->number == TESTED)
        put(out, "%s<,%d,", want->negated ? "!" : "", want->value);
    put_place(out, want, last);
    if (want->number == EXTRACT)
        put(out, ",v%d", i);
    put(out, "%s,bitmask 0x07;", want->relative ? ",relative" : "");
}

static void
put_expression(struct text_out *out, const struct want *want)
{
    put(out, " pcre:\"/");
    for (int i = 0; i < want->n; i++)
        put(out, "%s%c", want->bytes[i] == '.' ? "\\" : "", want->bytes[i]);
    put(out, "/%s%s\";", want->nocase ? "i" : "", want->relative ? "R" : "");
}

/* The ith; last: the one that extracted last. */
static void
put_want(struct text_out *out, const struct want *want, int i, int last)
{
    if (want->number != NO_NUMBER) {
        put_number(out, want, i, last);
        return;
    }
    if (want->is_dataat) {
        put(out, " isdataat:%s%d%s;", want->negated ? "!" : "", want->offset,
            want->relative ? ",relative" : "");
        return;
    }
    if (want->is_pcre) {
        put_expression(out, want);
        return;
    }
    put(out, " content:%s\"%.*s\";", want->negated ? "!" : "", want->n, want->bytes);
    if (want->nocase)
        put(out, " nocase;");
    if (want->startswith)
        put(out, " startswith;");
    else if (want->offset != 0 || (want->relative && !want->ranged)) {
        put(out, want->relative ? " distance:" : " offset:");
        put_place(out, want, last);
        put(out, ";");
    }
    if (want->ranged && !want->startswith)
        put(out, want->relative ? " within:%d;" : " depth:%d;", want->length);
    if (want->endswith)
        put(out, " endswith;");
}

static void
put_rule(struct text_out *out, const struct spec *spec, int sid)
{
    static const char *const place[] = { ",only_stream", ",no_stream", "" };

    put(out, "alert tcp any any -> any any (flow:established%s;", place[spec->place]);
    for (int i = 0, last = 0; i < spec->n; i++) {
        put_want(out, &spec->want[i], i, last);
        last = spec->want[i].number == EXTRACT ? i : last;
        if (i == spec->fast)
            put(out, " fast_pattern;");
    }
    put(out, " sid:%d;)\n", sid);
}

/* ---- flows --------------------------------------------------------------------------------- */

/* One round: rules, a stream, and how it is cut. */
struct round {
    uint64_t seed;
    struct spec spec[RULES];
    struct text_out rules;
    struct flow_run run;
    uint8_t stream[STREAM_MAX];
    int n;
    uint8_t wire[STREAM_MAX + CUTS_MAX]; /* the stream, and urgent bytes */
    int n_wire;
    struct cut {
        int from, n; /* of the wire's bytes */
        int urgent;  /* pointer, from 1; 0: none */
    } cut[CUTS_MAX];
    int n_cuts;
    struct lie {
        struct cut cut; /* whose bytes are the stream's in bytes[], but for a few */
        int before;     /* the cut that comes next; n_cuts: none */
        uint8_t bytes[STREAM_MAX];
    } lie[LIES_MAX];
    int n_lies;
};

/*
 * Write the stream's next bytes to the wire, with a byte that is urgent among them if there is
 * room.
 */
static void
write_piece(uint64_t *seed, struct round *r, int from, int n, bool urgent)
{
    struct cut *cut = &r->cut[r->n_cuts++];
    int before = urgent ? (int)random_below(seed, (uint64_t)n + 1) : n;

    *cut = (struct cut){ r->n_wire, n + urgent, urgent ? before + 1 : 0 };
    memcpy(r->wire + r->n_wire, r->stream + from, (size_t)before);
    if (urgent)
        r->wire[r->n_wire + before] = (uint8_t) "aaabbbccAB."[random_below(seed, 11)];
    memcpy(r->wire + r->n_wire + before + urgent, r->stream + from + before, (size_t)(n - before));
    r->n_wire += cut->n;
}

/* Cut the stream in pieces; put urgent bytes into some, or else repeat some and exchange some. */
static void
random_cuts(uint64_t *seed, struct round *r)
{
    int most = chance(seed, 30) ? 8 : 60, n;
    bool urgent = chance(seed, 40);

    r->n_wire = r->n_cuts = 0;
    for (int from = 0; from < r->n;) {
        int left = r->n - from, size = 1 + (int)random_below(seed, (uint64_t)most);

        size = size > left || r->n_cuts == CUTS_MAX - 9 ? left : size;
        if (urgent && r->n_cuts < CUTS_MAX - 9 && chance(seed, 20))
            size = 0; /* nothing but an urgent byte */
        write_piece(seed, r, from, size, urgent && (size == 0 || chance(seed, 50)));
        from += size;
    }
    n = r->n_cuts;
    if (urgent) /* of those that wait only the last counts */
        return;
    for (int i = (int)random_below(seed, 4); i > 0; i--, n++)
        r->cut[n] = r->cut[random_below(seed, (uint64_t)n)];
    for (int i = (int)random_below(seed, chance(seed, 50) ? 1 : 30); i > 0; i--) {
        uint64_t a = random_below(seed, (uint64_t)n), b = random_below(seed, (uint64_t)n);
        struct cut kept = r->cut[a];

        r->cut[a] = r->cut[b];
        r->cut[b] = kept;
    }
    r->n_cuts = n;
}

/* Segments of the stream that come another time, with some bytes changed. */
static void
random_lies(uint64_t *seed, struct round *r)
{
    r->n_lies = 0;
    if (r->n_wire > r->n || chance(seed, 60)) /* urgent bytes are in the way */
        return;
    for (int i = 0; i < LIES_MAX; i++) {
        struct lie *lie = &r->lie[r->n_lies];

        lie->cut = r->cut[random_below(seed, (uint64_t)r->n_cuts)];
        lie->before = (int)random_below(seed, (uint64_t)r->n_cuts + 1);
        memcpy(lie->bytes, r->stream, (size_t)r->n);
        for (int k = 1 + (int)random_below(seed, 8); k > 0; k--)
            lie->bytes[lie->cut.from + (int)random_below(seed, (uint64_t)lie->cut.n)] =
                (uint8_t) "aaabbbccAB."[random_below(seed, 11)];
        if (i == 0 || lie->cut.from != r->lie[0].cut.from)
            r->n_lies++;
    }
}

/* Whether the rule holds for one of the streams that the copies make. */
static bool
fulfils_any(const struct round *r, const struct spec *spec)
{
    for (int set = 0; set < 1 << r->n_lies; set++) {
        uint8_t stream[STREAM_MAX];

        memcpy(stream, r->stream, (size_t)r->n);
        for (int i = 0; i < r->n_lies; i++)
            if (set >> i & 1)
                memcpy(stream + r->lie[i].cut.from, r->lie[i].bytes + r->lie[i].cut.from,
                       (size_t)r->lie[i].cut.n);
        if (fulfils(spec, stream, r->n))
            return true;
    }
    return false;
}

static bool
expected_of(const struct round *r, const struct spec *spec)
{
    if (spec->place != SEGMENTS && fulfils_any(r, spec))
        return true;
    for (int i = 0; looks_at_segments(spec) && i < r->n_lies; i++)
        if (fulfils(spec, r->lie[i].bytes + r->lie[i].cut.from, r->lie[i].cut.n))
            return true;
    for (int i = 0; looks_at_segments(spec) && i < r->n_cuts; i++)
        if (fulfils(spec, r->wire + r->cut[i].from, r->cut[i].n))
            return true;
    return false;
}

static void
tell(const struct round *r, int rule, bool expected)
{
    printf("seed %llu: rule %d should %s\n%sstream %.*s\nwire %.*s\ncuts",
           (unsigned long long)r->seed, rule + 1, expected ? "alert" : "not alert", r->rules.text,
           r->n, (const char *)r->stream, r->n_wire, (const char *)r->wire);
    for (int i = 0; i < r->n_cuts; i++)
        printf(" %d+%d!%d", r->cut[i].from, r->cut[i].n, r->cut[i].urgent);
    for (int i = 0; i < r->n_lies; i++)
        printf("\nlie %d+%d before %d: %.*s", r->lie[i].cut.from, r->lie[i].cut.n, r->lie[i].before,
               r->lie[i].cut.n, (const char *)r->lie[i].bytes + r->lie[i].cut.from);
    printf("\n");
    fail();
}

/* More bytes can only make it hold, so that it has to alert before the flow ends. */
static bool
is_decided_at_once(const struct spec *spec)
{
    for (int i = 0; i < spec->n; i++)
        if (spec->want[i].negated || spec->want[i].endswith || spec->want[i].is_pcre)
            return false;
    return true;
}

/* Returns how many rules alerted. */
static unsigned
one_flow(uint64_t *seed, struct round *r)
{
    uint64_t early, alerted;

    random_cuts(seed, r);
    random_lies(seed, r);
    r->run.any = r->n_lies > 0;
    run_begin(&r->run);
    for (int i = 0; i <= r->n_cuts; i++) {
        for (int k = 0; k < r->n_lies; k++)
            if (r->lie[k].before == i)
                run_send(&r->run, r->lie[k].bytes, (size_t)r->lie[k].cut.from,
                         (size_t)r->lie[k].cut.n, 0);
        if (i < r->n_cuts)
            run_send(&r->run, r->wire, (size_t)r->cut[i].from, (size_t)r->cut[i].n,
                     (unsigned)r->cut[i].urgent);
    }
    early = r->run.alerted;
    alerted = run_end(&r->run, (size_t)r->n_wire);
    for (int i = 0; i < RULES; i++) {
        bool expected = expected_of(r, &r->spec[i]);
        bool at_once = is_decided_at_once(&r->spec[i]) && r->n_lies == 0;
        uint64_t by_then = at_once ? early : alerted;

        if ((by_then >> i & 1) != expected)
            tell(r, i, expected);
    }
    return (unsigned)__builtin_popcountll(alerted);
}

static unsigned
one_round(uint64_t seed)
{
    static struct round r;
    unsigned alerted = 0;

    r.seed = seed;
    r.rules.n = 0;
    r.n = 1 + (int)random_below(&seed, chance(&seed, 30) ? 30 : STREAM_MAX);
    for (int i = 0; i < r.n; i++)
        r.stream[i] = (uint8_t) "aaabbbccAB."[random_below(&seed, 11)];
    for (int i = 0; i < RULES; i++) {
        random_spec(&seed, &r.spec[i], r.stream, r.n);
        put_rule(&r.rules, &r.spec[i], i + 1);
    }
    if (!run_load(&r.run, r.rules.text, r.rules.n) || r.run.rules.n != RULES)
        fail_msg("not all of these loaded:\n%s", r.rules.text);
    for (int i = 0; i < FLOWS; i++) {
        alerted += one_flow(&seed, &r);
        r.stream[random_below(&seed, (uint64_t)r.n)] = 'b';
    }
    run_free(&r.run);
    return alerted;
}

static void
detection_agrees_with_the_oracle(void **state)
{
    unsigned alerted = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        alerted += one_round(seed);
    assert_in_range(alerted, ROUNDS * FLOWS * RULES / 10, ROUNDS * FLOWS * RULES * 9 / 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detection_agrees_with_the_oracle),
    };

    return cmocka_run_group_tests_name("detect model", tests, NULL, NULL);
}
