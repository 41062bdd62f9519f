/*
 * Rule files as lines that hold one rule each. A backslash at a line's end joins the next; so does
 * a rule that has not come to its last parenthesis (Snort 3). Comments: lines that begin with #, a
 * block between lines of #begin and #end, and what stands between slash-star and star-slash where
 * that begins a line.
 */
#ifndef IDS_LINES_H
#define IDS_LINES_H

#include "rule/lexer.h"

/* Overwrite the comments of several lines with spaces. */
void lines_blank(char *text, char *end);

/*
 * Cut a line off *rest, with those that belong to it; joins are made in place, with spaces. Returns
 * how many lines it took.
 */
unsigned lines_next(char **rest, char *end, struct text *line);

/* Whether a line begins as a rule does, with an action. */
bool line_begins_rule(struct text line);

#endif
