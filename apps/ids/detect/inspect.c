#include "detect/inspect.h"

#include "detect/parts.h"
#include "rule/option_buffer.h"

#include <string.h>

/* A rule that waits for more of a transaction, or has alerted. */
struct known {
    uint32_t rule;
    bool alerted;
};

/* What is remembered of a transaction, from its first such rule on. */
struct tx_rules {
    uint32_t generation; /* of the rules */
    uint16_t n, room;
    struct known at[];
};

enum { ROOM_FIRST = 6 };

/* The transaction at hand. */
struct look {
    struct tx *tx;
    enum weir_dir dir;
    enum tx_stage stage;
};

static enum buffer_side
side_of(enum weir_dir dir)
{
    return dir == WEIR_TOSERVER ? SIDE_REQUEST : SIDE_RESPONSE;
}

/* ---- what is remembered -------------------------------------------------------------------- */

static size_t
size_of(unsigned room)
{
    return sizeof(struct tx_rules) + room * sizeof(struct known);
}

static struct known *
find(struct tx *tx, uint32_t rule)
{
    struct tx_rules *rules = tx->own[0];

    for (unsigned i = 0; rules != NULL && i < rules->n; i++)
        if (rules->at[i].rule == rule)
            return &rules->at[i];
    return NULL;
}

static void
forget_all(struct detect *d, struct tx *tx)
{
    struct tx_rules *rules = tx->own[0];

    if (rules != NULL)
        mem_free(d->mem, rules, size_of(rules->room));
    tx->own[0] = NULL;
}

static bool
grow(struct detect *d, struct tx *tx)
{
    struct tx_rules *rules = tx->own[0], *more;
    unsigned room = rules == NULL ? ROOM_FIRST : 2U * rules->room;

    if (room > TX_RULES_MAX)
        return false;
    more = mem_alloc(d->mem, size_of(room));
    if (more == NULL)
        return false;
    more->generation = d->generation;
    more->n = 0;
    if (rules != NULL)
        memcpy(more, rules, size_of(rules->n));
    forget_all(d, tx);
    more->room = (uint16_t)room;
    tx->own[0] = more;
    return true;
}

/* What is remembered may be about rules that are not tested any more. */
static void
renew(const struct detect *d, struct tx *tx)
{
    struct tx_rules *rules = tx->own[0];

    if (rules == NULL || rules->generation == d->generation)
        return;
    rules->n = 0;
    rules->generation = d->generation;
}

static void
remember(struct detect *d, struct tx *tx, uint32_t rule, bool alerted)
{
    struct known *known = find(tx, rule);
    struct tx_rules *rules = tx->own[0];

    if (known != NULL) {
        known->alerted |= alerted;
        return;
    }
    if ((rules == NULL || rules->n == rules->room) && !grow(d, tx)) {
        d->stats.tx_lost++;
        return;
    }
    rules = tx->own[0];
    rules->at[rules->n++] = (struct known){ rule, alerted };
}

/* ---- one rule ------------------------------------------------------------------------------ */

/* Some are about the packet at hand, too. */
static bool
number_of(const struct detect *d, const struct look *look, enum number_id id, unsigned i,
          int64_t *out)
{
    const int64_t second = 1000000000;

    if (id != NUMBER_TLS_AFTER_END)
        return tx_number(look->tx, look->dir, id, i, out);
    if (!tx_number(look->tx, look->dir, NUMBER_TLS_NOT_AFTER, i, out))
        return false;
    *out = (int64_t)d->at.ev->time / second - *out;
    return true;
}

/* Of a file that is cut only the least is known. */
static bool
is_beyond_knowing(const struct detect *d, const struct step *step)
{
    return step->offset == NUMBER_FILE_SIZE && d->at.ev->type == WEIR_EV_FLOW_END &&
           step->compare->op != CMP_GT && step->compare->op != CMP_GE;
}

/* Whether n instances, of which some fit, are enough to know. */
static bool
is_decided(const struct step *step, int64_t n, int64_t fit)
{
    switch ((enum number_index)step->index) {
    case INDEX_ANY:
    case INDEX_OR_ABSENT:
        return fit > 0;
    case INDEX_ALL:
    case INDEX_ALL_OR_ABSENT:
        return fit < n;
    case INDEX_AT:
    case INDEX_AT_OR_OUT:
        return step->length >= 0 && n > step->length;
    case INDEX_COUNT:
    case INDEX_TOTAL:
        break;
    }
    return false;
}

/* Whether those instances fit that the step asks for. */
static bool
number_fits(const struct detect *d, const struct step *step, const struct look *look)
{
    const enum number_id id = (enum number_id)step->offset;
    int64_t n = 0, fit = 0, at = step->length, value;

    if (is_beyond_knowing(d, step))
        return false;
    for (; !is_decided(step, n, fit) && number_of(d, look, id, (unsigned)n, &value); n++)
        fit += compare_holds(step->compare, value);
    switch ((enum number_index)step->index) {
    case INDEX_ANY:
        return fit > 0;
    case INDEX_ALL:
        return n > 0 && fit == n;
    case INDEX_ALL_OR_ABSENT:
        return fit == n;
    case INDEX_OR_ABSENT:
        return fit > 0 || n == 0;
    case INDEX_TOTAL:
        return compare_holds(step->compare, n);
    case INDEX_COUNT:
        return compare_holds(&step->compare[1], fit);
    case INDEX_AT:
    case INDEX_AT_OR_OUT:
        break;
    }
    at += at < 0 ? n : 0;
    if (at < 0 || at >= n)
        return step->index == INDEX_AT_OR_OUT;
    return number_of(d, look, id, (unsigned)at, &value) && compare_holds(step->compare, value);
}

/* Whether the section asks for nothing but numbers. */
static bool
is_of_numbers(const struct rule *rule, const struct section *section)
{
    for (unsigned i = section->first; i < section->behind; i++)
        if (rule->step[i].kind != STEP_TX_NUMBER)
            return false;
    return true;
}

static bool
is_file_size(const struct step *step)
{
    return step->kind == STEP_TX_NUMBER && step->offset == NUMBER_FILE_SIZE;
}

/* But for sizes of files, where more is asked of the same file: sizes_fit(). */
static bool
numbers_fit(const struct detect *d, const struct rule *rule, const struct section *section,
            const struct look *look)
{
    const bool alone = is_of_numbers(rule, section);

    for (unsigned i = section->first; i < section->behind; i++)
        if (rule->step[i].kind == STEP_TX_NUMBER && (alone || !is_file_size(&rule->step[i])) &&
            !number_fits(d, &rule->step[i], look))
            return false;
    return true;
}

/* Of file i. */
static bool
sizes_fit(const struct detect *d, const struct rule *rule, const struct section *section,
          const struct look *look, unsigned file)
{
    int64_t size;

    for (unsigned i = section->first; i < section->behind; i++) {
        const struct step *step = &rule->step[i];

        if (is_file_size(step) &&
            (is_beyond_knowing(d, step) || !number_of(d, look, NUMBER_FILE_SIZE, file, &size) ||
             !compare_holds(step->compare, size)))
            return false;
    }
    return true;
}

/* Which side shows a buffer: this one, else the other, for what a request showed is still there. */
static enum weir_dir
shown_at(unsigned buffer, enum weir_dir dir)
{
    return buffer_info(buffer)->sides & side_of(dir) ? dir : !dir;
}

/* Whether a buffer that is not there will not come any more. */
static bool
is_missing(const struct look *look, unsigned buffer, enum weir_dir dir)
{
    if (look->tx->ended[dir] || (look->stage == TX_END && look->dir == dir))
        return true;
    return (look->tx->head[dir] || look->dir == dir) && !buffer_info(buffer)->is_body &&
           (look->tx->proto == APP_HTTP || look->tx->proto == APP_DNS);
}

/* One instance. */
static enum match_answer
match_instance(struct detect *d, struct match *m, const struct section *section,
               const struct tx_bytes *bytes)
{
    enum transform_answer answer;

    m->own = (struct buffer){ bytes->p, bytes->start, bytes->start + bytes->n, bytes->final };
    answer = detect_transform(d, m, section, &m->own);
    if (answer != TRANSFORM_DONE)
        return answer == TRANSFORM_WAIT ? MATCH_WAIT : MATCH_NO;
    m->buffer = &m->own;
    return detect_match(d, m);
}

/* Any instance of the buffer does. */
static enum match_answer
match_tx_section(struct detect *d, struct match *m, const struct section *section,
                 struct look *look)
{
    enum weir_dir dir = shown_at(section->buffer, look->dir);
    enum match_answer best = MATCH_NO;
    struct tx_bytes bytes;
    unsigned n;

    if (!numbers_fit(d, m->rule, section, look))
        return MATCH_NO;
    if (is_of_numbers(m->rule, section))
        return MATCH_YES;
    for (n = 0; best != MATCH_YES && tx_buffer(look->tx, dir, section->buffer, n, &bytes); n++) {
        enum match_answer answer = MATCH_NO;

        if (sizes_fit(d, m->rule, section, look, n))
            answer = match_instance(d, m, section, &bytes);
        if (answer != MATCH_NO)
            best = answer;
    }
    if (n == 0 && m->rule->step[section->first].kind == STEP_ABSENT)
        return is_missing(look, section->buffer, dir) ? MATCH_YES : MATCH_WAIT;
    return best;
}

static enum match_answer
match_section(struct detect *d, struct match *m, const struct section *section, struct look *look)
{
    m->first = section->first;
    m->behind = section->behind;
    m->fast = -1;
    if (section->buffer == BUFFER_PAYLOAD) {
        m->buffer = detect_payload(d, &m->own);
        return m->buffer != NULL ? detect_match(d, m) : MATCH_NO;
    }
    if (section->buffer == BUFFER_BASE64) {
        m->own = (struct buffer){ d->decoded->bytes, 0, (int64_t)d->decoded->n, true };
        if (detect_transform(d, m, section, &m->own) != TRANSFORM_DONE)
            return MATCH_NO;
        m->buffer = &m->own;
        return detect_match(d, m);
    }
    return match_tx_section(d, m, section, look);
}

/* MATCH_WAIT: no, but what is to come may change that. */
static enum match_answer
match_all(struct detect *d, const struct rule *rule, struct look *look)
{
    uint64_t variable[STEPS_MAX] = { 0 };
    struct match m = { .rule = rule, .variable = variable };
    bool waits = false;

    detect_begin_rule(d, rule);
    for (unsigned i = 0; i < rule->n_sections; i++) {
        enum match_answer answer = match_section(d, &m, &rule->section[i], look);

        if (answer == MATCH_NO && (!rule->tx_body || look->stage == TX_END))
            return MATCH_NO;
        waits |= answer != MATCH_YES;
    }
    return waits ? MATCH_WAIT : MATCH_YES;
}

/* Whether what the rule looks at can have come. */
static bool
is_due(const struct rule *rule, const struct look *look)
{
    return rule->tx_side & side_of(look->dir) && (!rule->tx_body || look->stage != TX_HEAD);
}

static void
look_at(struct detect *d, uint32_t rule)
{
    struct look *look = d->look;
    const struct rule *r = &d->rule[rule];
    struct known *known = find(look->tx, rule);
    enum match_answer answer = MATCH_WAIT;

    if (known != NULL && known->alerted)
        return;
    if (is_due(r, look)) {
        if (!detect_fits(d, rule, look->dir))
            return;
        answer = match_all(d, r, look);
    }
    if (answer == MATCH_YES)
        detect_raise(d, rule, look->dir);
    if (answer != MATCH_NO)
        remember(d, look->tx, rule, answer == MATCH_YES);
}

/* ---- one side of a transaction ------------------------------------------------------------- */

static void
on_match(void *ctx, uint32_t rule, struct prefilter_ends ends)
{
    (void)ends;
    detect_mark(ctx, rule, 0);
}

static void
scan_buffer(struct detect *d, const struct look *look, unsigned id)
{
    const struct prefilter *pf = d->groups->of_buffer[id][look->dir];
    struct tx_bytes bytes;

    for (unsigned i = 0; tx_buffer(look->tx, look->dir, id, i, &bytes); i++) {
        if (bytes.n == 0)
            continue;
        prefilter_scan(pf, d->prefilters, bytes.p, bytes.n, on_match, d);
        d->stats.tx_scanned += bytes.n;
    }
}

/* A body is scanned as it comes, all else when the head is complete. */
static void
scan_buffers(struct detect *d, const struct look *look)
{
    for (unsigned id = 0; id < BUFFERS; id++) {
        const struct buffer_info *info = buffer_info(id);

        if (d->groups->of_buffer[id][look->dir] != NULL && info->proto == look->tx->proto &&
            info->is_body == (look->stage != TX_HEAD))
            scan_buffer(d, look, id);
    }
}

static bool
is_about(const struct rule *rule, unsigned proto)
{
    for (unsigned i = 0; i < rule->n_sections; i++) {
        const struct buffer_info *info = buffer_info(rule->section[i].buffer);

        if (info->proto != APP_UNKNOWN && info->proto != proto)
            return false;
    }
    return true;
}

static void
mark_others(struct detect *d, const struct look *look)
{
    const struct group *always = &d->groups->tx_always[look->dir];
    const struct tx_rules *rules = look->tx->own[0];

    for (size_t i = 0; i < always->n_always; i++)
        if (is_about(&d->rule[always->always[i]], look->tx->proto))
            detect_mark(d, always->always[i], 0);
    for (unsigned i = 0; rules != NULL && i < rules->n; i++)
        if (!rules->at[i].alerted)
            detect_mark(d, rules->at[i].rule, 0);
}

/* Look at rules with the event at hand turned to that direction. */
static void
turn(struct detect *d, enum weir_dir dir, struct weir_event *ev)
{
    *ev = *d->at.ev;
    d->at.established |= detect_is_one_sided(d); /* by this event, perhaps */
    if (ev->direction == dir)
        return;
    ev->direction = (uint8_t)dir;
    d->at.ev = ev;
    d->at.has_ends = false;
}

void
inspect(struct detect *d, struct tx *tx, enum weir_dir dir, enum tx_stage stage)
{
    struct look look = { tx, dir, stage };
    struct occasion at = d->at;
    struct weir_event ev;

    if (stage == TX_GONE) {
        forget_all(d, tx);
        return;
    }
    if (!d->groups->has_tx || d->scan->past.passed)
        return;
    renew(d, tx);
    turn(d, dir, &ev);
    d->at.app_proto = tx->proto;
    d->at.tx = tx->id + 1;
    d->look = &look;
    d->tx = tx;
    scan_buffers(d, &look);
    mark_others(d, &look);
    detect_take_marks(d, look_at);
    d->tx = NULL;
    d->look = NULL;
    d->at = at;
}

/* A rule on an event, which may look at the transaction, too, as far as it has come. */
static void
look_at_event(struct detect *d, uint32_t rule, struct look *look)
{
    const struct rule *r = &d->rule[rule];
    const struct known *known = look->tx != NULL ? find(look->tx, rule) : NULL;

    if ((known != NULL && known->alerted) || !detect_fits(d, rule, look->dir) ||
        (r->n_sections > 0 && (look->tx == NULL || match_all(d, r, look) != MATCH_YES)))
        return;
    detect_raise(d, rule, look->dir);
    if (look->tx != NULL)
        remember(d, look->tx, rule, true);
}

/* Events of a protocol are both sides': a rule that names one meets them there (as in Suricata).
 * Those of the application layer as such are about a packet. */
static enum weir_dir
side_asked(const struct rule *rule, enum weir_dir dir)
{
    if (strncmp(rule->app_event, "applayer_", 9) == 0 ||
        !(rule->flow & (RULE_TO_SERVER | RULE_TO_CLIENT)))
        return dir;
    return rule->flow & RULE_TO_SERVER ? WEIR_TOSERVER : WEIR_TOCLIENT;
}

static void
look_at_side(struct detect *d, uint32_t rule, const struct look *look)
{
    struct look asked = *look;
    struct occasion at = d->at;
    struct weir_event ev;

    asked.dir = side_asked(&d->rule[rule], look->dir);
    if (asked.dir != look->dir)
        turn(d, asked.dir, &ev);
    look_at_event(d, rule, &asked);
    d->at = at;
}

void
inspect_event(struct detect *d, const char *name, struct tx *tx, enum weir_dir dir)
{
    struct look look = { tx, dir, TX_END };
    struct occasion at = d->at;
    struct weir_event ev;
    size_t n, first = groups_of_app_event(d->groups, name, &n);

    if (n == 0 || d->scan->past.passed)
        return;
    turn(d, dir, &ev);
    if (tx != NULL) {
        renew(d, tx);
        d->at.app_proto = tx->proto;
        d->at.tx = tx->id + 1;
    }
    d->tx = tx;
    for (size_t i = 0; i < n; i++)
        look_at_side(d, d->groups->by_app_event[first + i], &look);
    d->tx = NULL;
    d->at = at;
}
