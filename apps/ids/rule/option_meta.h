/* Options that say what a rule is: msg, sid, classtype, reference, metadata, ... */
#ifndef IDS_OPTION_META_H
#define IDS_OPTION_META_H

#include "rule/rule.h"

int msg_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int sid_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int gid_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int rev_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int priority_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int classtype_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int reference_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int metadata_take(struct rule *rule, struct text value, struct weir_errbuf *err);
int target_take(struct rule *rule, struct text value, struct weir_errbuf *err);

/* What changes nothing here: rem, prefilter, logto, ... */
int nothing_take(struct rule *rule, struct text value, struct weir_errbuf *err);

#endif
