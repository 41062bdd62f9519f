#include "enforce.h"

#include <weir/flow.h>
#include <weir/verdict.h>

/* ---- rules ----------------------------------------------------------------------------------- */

/* Nothing but addresses and protocol is asked: of the first packet it is known for all. */
static bool
is_of_addresses(const struct rule *rule)
{
    return rule->n_steps == 0 && rule->n_checks == 0 && rule->flow == 0 && rule->state == NULL &&
           rule->src_port == NULL && rule->dst_port == NULL && rule->event == NULL &&
           rule->app_event == NULL;
}

static bool
is_tested_on_streams(const struct rule *rule)
{
    return rule->n_payload > 0 && !(rule->flow & RULE_NO_STREAM) && !rule->on_headers;
}

/*
 * Matches in a stream or a transaction are about the flow: their bytes may have come in more
 * packets than the one at hand. So are those in a packet of rules on streams: what it held may come
 * again in other pieces, and the stream has had it.
 */
static bool
is_of_flow(const struct rule *rule, bool of_tx, const struct weir_event *ev)
{
    if (ev->flow == NULL || rule->event != NULL)
        return false;
    if (of_tx || rule->app_event != NULL || rule->app_only || is_of_addresses(rule))
        return true;
    if (weir_flow_proto(ev->flow) != WEIR_PROTO_TCP || rule->n_steps == 0)
        return false;
    return (ev->type != WEIR_EV_PACKET && ev->type != WEIR_EV_ESTABLISHED) ||
           is_tested_on_streams(rule);
}

/* Who is told, by the action; Snort's reject tells both. */
static unsigned
ends_told(const struct rule *rule, uint8_t action)
{
    switch ((enum rule_action)action) {
    case ACTION_REJECT:
        return rule->snort3 ? WEIR_REJECT_SENDER | WEIR_REJECT_RECEIVER : WEIR_REJECT_SENDER;
    case ACTION_REJECT_SRC:
        return WEIR_REJECT_SENDER;
    case ACTION_REJECT_DST:
        return WEIR_REJECT_RECEIVER;
    case ACTION_REJECT_BOTH:
    case ACTION_REACT:
        return WEIR_REJECT_SENDER | WEIR_REJECT_RECEIVER;
    default:
        return 0;
    }
}

/* Snort 3: block, reject and react are about the whole flow. */
static enum weir_verdict
verdict_of(const struct rule *rule, uint8_t action, bool of_tx, const struct weir_event *ev)
{
    const bool flow = is_of_flow(rule, of_tx, ev);

    switch ((enum rule_action)action) {
    case ACTION_BLOCK:
        return WEIR_DROP_FLOW;
    case ACTION_REACT:
        return WEIR_RESET;
    case ACTION_REJECT:
        if (rule->snort3)
            return WEIR_RESET;
        return flow ? WEIR_DROP_FLOW : WEIR_DROP;
    case ACTION_DROP:
    case ACTION_REJECT_SRC:
    case ACTION_REJECT_DST:
    case ACTION_REJECT_BOTH:
        return flow ? WEIR_DROP_FLOW : WEIR_DROP;
    default:
        return WEIR_PASS;
    }
}

static void
note(struct enforced *done, const struct weir_event *ev, const char *reason,
     const struct rule *rule, uint8_t action)
{
    if (!enforced_on(done, ev))
        *done = (struct enforced){
            .packet = ev->number, .reason = reason, .rule = rule, .action = action
        };
}

void
enforce_rule(struct enforced *done, const struct rule *rule, uint8_t action, bool of_tx,
             const struct weir_event *ev)
{
    const enum weir_verdict v = verdict_of(rule, action, of_tx, ev);
    const unsigned told = ends_told(rule, action);

    if (v == WEIR_PASS)
        return;
    note(done, ev, "rules", rule, action);
    if (told != 0) {
        weir_reject(ev, told);
        done->reject = action;
    }
    weir_verdict(ev, v);
    done->of_flow = done->of_flow || v >= WEIR_DROP_FLOW;
}

/* ---- what hosts would not take, or take otherwise -------------------------------------------- */

/* Among them is what the receiver may take or not, since rules see that when it has. */
static bool
is_invalid(const struct weir_event *ev)
{
    switch (ev->type) {
    case WEIR_EV_OUT_OF_WINDOW:
    case WEIR_EV_BAD_ACK:
    case WEIR_EV_TTL_JUMP:
        return true;
    case WEIR_EV_BAD_TIMESTAMP:
        return ev->bad_timestamp.why == WEIR_BAD_TIMESTAMP_OLD;
    case WEIR_EV_BAD_OPTION:
        return ev->bad_option.why != WEIR_BAD_OPTION_MALFORMED;
    case WEIR_EV_BAD_FLAGS:
        return ev->bad_flags.why != WEIR_BAD_FLAGS_RST_DATA;
    case WEIR_EV_DATA_AFTER_END: /* the receiver may not have taken the RST, but rules see
                                    nothing */
        return true;
    case WEIR_EV_BAD_PACKET:
        return ev->bad_packet.why == WEIR_BAD_LAYERS; /* hosts read on */
    default:
        return false;
    }
}

uint64_t
enforce_wants(const struct enforce_opts *opts)
{
    uint64_t wants = 0;

    if (opts->invalid)
        wants |= WEIR_EV_BIT(WEIR_EV_OUT_OF_WINDOW) | WEIR_EV_BIT(WEIR_EV_BAD_ACK) |
                 WEIR_EV_BIT(WEIR_EV_BAD_TIMESTAMP) | WEIR_EV_BIT(WEIR_EV_BAD_OPTION) |
                 WEIR_EV_BIT(WEIR_EV_BAD_FLAGS) | WEIR_EV_BIT(WEIR_EV_DATA_AFTER_END) |
                 WEIR_EV_BIT(WEIR_EV_TTL_JUMP) | WEIR_EV_BIT(WEIR_EV_BAD_PACKET);
    if (opts->conflicting)
        wants |= WEIR_EV_BIT(WEIR_EV_FAKE_RETRANSMIT);
    if (opts->urgent != URGENT_OOB)
        wants |= WEIR_EV_BIT(WEIR_EV_PACKET);
    return wants;
}

void
enforce_stream(struct enforced *done, const struct enforce_opts *opts, const struct weir_event *ev)
{
    const bool conflicts = opts->conflicting && ev->type == WEIR_EV_FAKE_RETRANSMIT;

    if (ev->number == 0 || !(conflicts || (opts->invalid && is_invalid(ev))))
        return;
    note(done, ev, "stream error", NULL, ACTION_DROP);
    weir_verdict(ev, WEIR_DROP);
}

void
enforce_urgent(struct enforced *done, const struct enforce_opts *opts, const struct weir_event *ev)
{
    const struct weir_packet *pkt = ev->packet;

    if (opts->urgent == URGENT_OOB || ev->type != WEIR_EV_PACKET || pkt->proto != WEIR_PROTO_TCP ||
        !(pkt->tcp_flags & WEIR_TH_URG))
        return;
    if (opts->urgent == URGENT_INLINE && weir_rewrite_urgent(ev) == WEIR_E_OK)
        return;
    note(done, ev, "stream urgent", NULL, ACTION_DROP);
    weir_verdict(ev, WEIR_DROP);
}
