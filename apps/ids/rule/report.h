/* What became of the rules of each file, in lines of text. */
#ifndef IDS_REPORT_H
#define IDS_REPORT_H

#include "rule/rules.h"

typedef void (*say_fn)(void *ctx, const char *text);

/* A line for each file, with one for each reason why some of its rules were refused. */
void report_files(const struct rules *rules, say_fn say, void *ctx);

/* What has to be known of rules that were loaded, and how many that concerns. */
void report_notes(const struct rules *rules, say_fn say, void *ctx);

/* Each flowbit that rules ask to be set and none sets, so that they may never match: a line. */
void report_unset(const struct rules *rules, say_fn say, void *ctx);

#endif
