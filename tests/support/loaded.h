/* Rules of a test, loaded. What goes wrong ends it. */
#ifndef WEIR_TEST_LOADED_H
#define WEIR_TEST_LOADED_H

#include "detect/groups.h"
#include "rule/limits.h"
#include "rule/rules.h"

/* Rules, and what they are tested in. */
struct loaded {
    struct vars *vars;
    struct rules rules;
    struct limits limits;
    struct groups *groups;
};

/*
 * Load rules, none of which may be refused, and limits, as of a threshold file; vars is there, and
 * what rules has of settings. unload() takes what is half loaded, too.
 */
void load(struct loaded *l, const char *rules, const char *limits);
void unload(struct loaded *l);

#endif
