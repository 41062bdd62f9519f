/*
 * What rules remember: flowbits and flowint in the flow, xbits and hostbits in a table by address.
 *
 * Threads: one core; state_share() lets cores take turns at the table.
 */
#ifndef IDS_STATE_H
#define IDS_STATE_H

#include "detect/keyed.h"
#include "detect/subject.h"
#include "rule/rules.h"

enum {
    STATE_KEYS_MAX = 1 << 18
}; /* bits of addresses, and of pairs of them, that are set at once */

struct state;

/* Numbers of names: what flows remember goes by them, so they stay when rules are loaded anew. */
struct name_book;

/* NULL: no memory. */
struct name_book *name_book_new(void);
void name_book_free(struct name_book *book);

/* Number the names of all rules. *out is NULL where no rule has any. */
int state_new(const struct rules *rules, struct name_book *book, const struct keyed_opts *opts,
              struct state **out, struct weir_errbuf *err);
void state_free(struct state *s);

/* Know the same of addresses as another core, of the same rules. Either may be NULL. */
void state_share(struct state *s, const struct state *with);

/* What was remembered under the rules before, by the same book, goes on. Either may be NULL. */
void state_inherit(struct state *s, const struct state *before);

/* Whether a rule asks or remembers anything; s may be NULL. */
bool state_is_used(const struct state *s, uint32_t rule);

/* Whether a rule asks for what others remember. */
bool state_is_tested(const struct state *s, uint32_t rule);

/* The rule's tests, but for those of numbers that it changes before. */
bool state_holds(struct state *s, uint32_t rule, const struct subject *subject);

/*
 * All else of the rule has matched: change its numbers, and then, if the tests behind that hold
 * too, its bits. False: one does not, and the rule has not matched.
 */
bool state_apply(struct state *s, uint32_t rule, const struct subject *subject);

/* Told of what is remembered of a flow: a bit that is set, or a number. */
typedef void (*known_fn)(void *ctx, const char *name, bool is_bit, uint32_t value);
void state_tell(const struct state *s, const struct memory *memory, known_fn tell, void *ctx);

/* Changes so far, of what flows and addresses are known for; s may be NULL. */
uint64_t state_changes(const struct state *s);

struct state_stats {
    uint64_t changes;   /* as state_changes() */
    uint64_t no_memory; /* bits and numbers that could not be set */
    uint64_t lost;      /* bits of addresses that made room for others; of all who share them */
};

void state_get_stats(const struct state *s, struct state_stats *out);

#endif
