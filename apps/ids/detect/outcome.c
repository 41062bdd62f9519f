#include "detect/outcome.h"

#include <weir/flow.h>

#include <stdlib.h>

struct outcome {
    const struct rule *rule; /* by index */
    struct mem *const *mem;
    struct name_book *book;
    bool book_is_lent;             /* until outcome_inherit(); for good if shares */
    bool shares;                   /* another one's tables */
    struct state *state;           /* NULL: no rule has any */
    struct thresholds *thresholds; /* NULL: no rule is limited */
    struct tags *tags;             /* NULL: no rule tags */
    tagged_fn tagged;
    void *ctx;
    uint64_t packet; /* occasion.packet that `passed` is about; 0: none */
    bool passed;
    uint8_t action;
    bool acts;
    struct outcome_stats stats;
};

/* Names have the same numbers for all cores, and under the rules before. */
static struct name_book *
book_of(const struct outcome_opts *opts)
{
    if (opts->with != NULL)
        return opts->with->book;
    return opts->before != NULL ? opts->before->book : name_book_new();
}

static void
share(struct outcome *o, const struct outcome *with)
{
    state_share(o->state, with->state);
    thresholds_share(o->thresholds, with->thresholds);
    tags_share(o->tags, with->tags);
}

int
outcome_new(const struct rules *rules, const struct outcome_opts *opts, struct mem *const *mem,
            struct outcome **out, struct weir_errbuf *err)
{
    struct outcome *o = calloc(1, sizeof(*o));
    int rc;

    *out = NULL;
    if (o == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    o->rule = rules->at;
    o->mem = mem;
    o->tagged = opts->tagged;
    o->ctx = opts->ctx;
    o->shares = opts->with != NULL;
    o->book_is_lent = o->shares || opts->before != NULL;
    o->book = book_of(opts);
    rc = o->book != NULL ? state_new(rules, o->book, &opts->keyed, &o->state, err)
                         : weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    if (rc == WEIR_E_OK)
        rc = thresholds_new(rules, opts->limits, &opts->keyed, &o->thresholds, err);
    if (rc == WEIR_E_OK)
        rc = tags_new(rules, &opts->keyed, &o->tags, err);
    if (rc != WEIR_E_OK) {
        outcome_free(o);
        return rc;
    }
    if (o->shares)
        share(o, opts->with);
    *out = o;
    return rc;
}

void
outcome_free(struct outcome *o)
{
    if (o == NULL)
        return;
    state_free(o->state);
    if (!o->book_is_lent)
        name_book_free(o->book);
    thresholds_free(o->thresholds);
    tags_free(o->tags);
    free(o);
}

void
outcome_inherit(struct outcome *o, struct outcome *before)
{
    outcome_get_stats(before, &o->stats);
    state_inherit(o->state, before->state);
    if (thresholds_inherit(o->thresholds, before->thresholds)) /* the table's own count goes on */
        o->stats.threshold.lost = before->stats.threshold.lost;
    o->book_is_lent = o->shares;
    before->book_is_lent = true;
}

/* Counts begin at zero with each set of rules. */
void
outcome_get_stats(const struct outcome *o, struct outcome_stats *out)
{
    struct threshold_stats threshold;
    struct tag_stats tag;

    *out = o->stats;
    state_get_stats(o->state, &out->state);
    thresholds_get_stats(o->thresholds, &threshold);
    tags_get_stats(o->tags, &tag);
    out->threshold.suppressed += threshold.suppressed;
    out->threshold.held += threshold.held;
    out->tag.packets += tag.packets;
    if (o->shares) {
        out->state.lost = 0;
        return;
    }
    out->threshold.lost += threshold.lost;
    out->tag.lost += tag.lost;
}

uint8_t
outcome_action(const struct outcome *o)
{
    return o->action;
}

bool
outcome_acts(const struct outcome *o)
{
    return o->acts;
}

/* It sends resets for rejected packets even where it only looks on. */
const char *
outcome_action_text(const struct outcome *o, bool in_line)
{
    bool rejected = o->action >= ACTION_REJECT && o->action <= ACTION_REJECT_BOTH;
    bool dropped = o->action == ACTION_DROP || o->action == ACTION_BLOCK ||
                   o->action == ACTION_REACT;

    return rejected || (in_line && dropped) ? "blocked" : "allowed";
}

bool
outcome_wants_packets(const struct outcome *o)
{
    return o->tags != NULL;
}

uint64_t
outcome_changes(const struct outcome *o)
{
    return state_changes(o->state);
}

bool
outcome_is_asked(const struct outcome *o, uint32_t rule)
{
    return state_is_tested(o->state, rule);
}

void
outcome_tell(const struct outcome *o, const struct flow_past *past, known_fn tell, void *ctx)
{
    state_tell(o->state, past->memory, tell, ctx);
}

void
outcome_forget(struct outcome *o, struct flow_past *past)
{
    memory_free(past->memory, *o->mem);
    captures_free(past->captures, *o->mem);
    *past = (struct flow_past){ .memory = NULL };
}

/* ---- a match ------------------------------------------------------------------------------- */

static void
subject_of(struct outcome *o, struct occasion *at, struct flow_past *past, enum weir_dir dir,
           struct subject *out)
{
    const struct weir_event *ev = at->ev;
    const struct ends *ends = occasion_ends(at);
    bool turned = ev->direction != dir;

    *out = (struct subject){
        .memory = ev->flow != NULL ? &past->memory : NULL,
        .mem = *o->mem,
        .flow_id = ev->flow != NULL ? weir_flow_id(ev->flow) : 0,
        .tx = at->tx,
        .has_addresses = ends->proto != 0,
        .src = turned ? ends->dst : ends->src,
        .dst = turned ? ends->src : ends->dst,
        .src_port = turned ? ends->dst_port : ends->src_port,
        .dst_port = turned ? ends->src_port : ends->dst_port,
        .time = ev->time,
    };
}

bool
outcome_may(struct outcome *o, struct occasion *at, struct flow_past *past, uint32_t rule,
            enum weir_dir dir)
{
    struct subject subject;

    if (!state_is_used(o->state, rule))
        return true;
    subject_of(o, at, past, dir, &subject);
    return state_holds(o->state, rule, &subject);
}

/* A match by addresses alone, or in bytes of a stream, is about the flow and not the packet. */
static bool
is_of_flow(const struct rule *rule, const struct weir_event *ev)
{
    if (ev->flow == NULL || rule->event != NULL)
        return false;
    if (ev->type != WEIR_EV_PACKET && ev->type != WEIR_EV_ESTABLISHED)
        return true;
    return rule->n_steps == 0 && rule->n_checks == 0 && rule->flow == 0 && rule->state == NULL &&
           rule->src_port == NULL && rule->dst_port == NULL;
}

static bool
is_passed(struct outcome *o, const struct occasion *at)
{
    if (at->packet == 0 || at->packet != o->packet) {
        o->packet = at->packet;
        o->passed = false;
    }
    return o->passed;
}

static void
pass(struct outcome *o, const struct rule *rule, const struct weir_event *ev,
     struct flow_past *past)
{
    o->stats.passed++;
    o->passed = true;
    if (is_of_flow(rule, ev))
        past->passed = true;
}

/* Rules that say what a file or a flow is, and not that it is bad. */
static bool
is_silent(uint8_t action)
{
    return action == ACTION_PASS || action == ACTION_FILE_ID || action == ACTION_CONFIG;
}

static void
begin_tag(struct outcome *o, const struct rule *rule, const struct subject *subject)
{
    if (rule->state != NULL && rule->state->tag.n > 0)
        tags_begin(o->tags, &rule->state->tag, subject);
}

bool
outcome_alerts(struct outcome *o, struct occasion *at, struct flow_past *past, uint32_t rule,
               enum weir_dir dir)
{
    const struct rule *r = &o->rule[rule];
    bool is_used = state_is_used(o->state, rule);
    enum threshold_let let = LET_ALERT;
    struct subject subject;

    o->acts = false;
    if (is_used || r->state != NULL || o->thresholds != NULL)
        subject_of(o, at, past, dir, &subject);
    if (is_used && !state_apply(o->state, rule, &subject))
        return false;
    if (is_passed(o, at)) {
        o->stats.passed_by += !r->noalert && !is_silent(r->action);
        return false;
    }
    o->action = r->action;
    if (r->noalert && r->action != ACTION_PASS) {
        o->acts = true;
        return false;
    }
    if (o->thresholds != NULL)
        let = thresholds_let(o->thresholds, rule, &subject, &o->action);
    o->acts = let >= LET_ACT;
    if (let != LET_ALERT)
        return false;
    if (r->action == ACTION_PASS)
        pass(o, r, at->ev, past);
    if (is_silent(o->action) && !(r->action == ACTION_PASS && r->tells))
        return false;
    begin_tag(o, r, &subject);
    return true;
}

void
outcome_packet(struct outcome *o, struct occasion *at, struct flow_past *past)
{
    const struct weir_packet *pkt = at->ev->packet;
    struct subject subject;

    if (o->tags == NULL || pkt == NULL)
        return;
    subject_of(o, at, past, (enum weir_dir)at->ev->direction, &subject);
    if (tags_count(o->tags, &subject, pkt->wirelen) && o->tagged != NULL)
        o->tagged(o->ctx, at->ev);
}
