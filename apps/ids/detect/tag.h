/*
 * Packets that are recorded because an alert came before them: the rule tagged the flow, or one of
 * its addresses.
 *
 * Threads: one core; tags_share() lets cores take turns at what is tagged.
 */
#ifndef IDS_TAG_H
#define IDS_TAG_H

#include "detect/keyed.h"
#include "detect/subject.h"
#include "rule/rules.h"

enum { TAGS_MAX = 1 << 16 }; /* flows and addresses that are tagged at once */

struct tags;

/* *out is NULL where no rule has a tag. */
int tags_new(const struct rules *rules, const struct keyed_opts *opts, struct tags **out,
             struct weir_errbuf *err);
void tags_free(struct tags *t);

/* Tag the same flows and addresses as another core, of the same rules. Either may be NULL. */
void tags_share(struct tags *t, const struct tags *with);

/* An alert with this tag came; it begins anew what is tagged already. */
void tags_begin(struct tags *t, const struct tag *tag, const struct subject *subject);

/* A packet came, of so many bytes: whether it is to be recorded. */
bool tags_count(struct tags *t, const struct subject *subject, uint32_t bytes);

struct tag_stats {
    uint64_t packets; /* that were recorded */
    uint64_t lost;    /* tags that made room for others; of all who share them */
};

void tags_get_stats(const struct tags *t, struct tag_stats *out);

#endif
