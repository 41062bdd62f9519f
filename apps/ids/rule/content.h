/* content and the options that change one: offset, depth, distance, within, nocase, ... */
#ifndef IDS_CONTENT_H
#define IDS_CONTENT_H

#include "rule/rule.h"

/* Add a step, all zero but its kind; text in err on failure. */
int step_new(struct rule *rule, enum step_kind kind, struct step **out, struct weir_errbuf *err);

/* To another buffer, as it is. */
void step_move(struct step *step, unsigned buffer);

/* Free what a step owns. */
void step_clear(struct step *step);

/* 1 + the latest step that sets this variable; 0: none does. */
uint8_t step_that_sets(const struct rule *rule, struct text name);

/* The content that a modifier changes: the latest. Text in err if there is none. */
int last_content(struct rule *rule, struct step **out, struct weir_errbuf *err);

/* Each takes an option's value. The modifiers change the rule's last content. */
int content_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int nocase_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int rawbytes_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int offset_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int depth_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int distance_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int within_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int startswith_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int endswith_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int replace_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int fast_pattern_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int isdataat_take(struct rule *rule, struct text value, struct weir_errbuf *err);

/* Whether each content can be found at all, once all modifiers are known. */
int contents_check(const struct rule *rule, struct weir_errbuf *err);

#endif
