/*
 * Signatures of operating systems (.fp files), one line each:
 * window:ttl:df:size:options:quirks:genre:description
 */
#ifndef WEIR_PRADS_SIGNATURE_FP_H
#define WEIR_PRADS_SIGNATURE_FP_H

#include "fingerprint.h"

#include <weir/error.h>

struct fp_list; /* the signatures of one kind */

struct fp_signature {
    const char *os, *detail;
};

/*
 * Load a file. with_rst: the quirk K may be used. WEIR_E_SYNTAX: a line is wrong; err says which.
 */
int fp_list_load(const char *path, bool with_rst, struct fp_list **out, struct weir_errbuf *err);

/* The same from text, which is written to. name is used in errors. */
int fp_list_parse(char *text, const char *name, bool with_rst, struct fp_list **out,
                  struct weir_errbuf *err);

void fp_list_free(struct fp_list *list);

size_t fp_list_size(const struct fp_list *list);

/* Signatures with the same number print the same. */
uint32_t fp_list_number(const struct fp_list *list, const struct fp_signature *sig);

/*
 * The first signature that fits, in the order of the file; NULL: none does. kind FP_ACK leaves
 * the size out of it. If a packet without DF has none, it is tried with DF, and fp->df stays set.
 */
const struct fp_signature *
fp_list_match(const struct fp_list *list, struct fingerprint *fp, enum fp_kind kind);

#endif
