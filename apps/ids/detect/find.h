/* Contents among bytes: where one stands first. */
#ifndef IDS_FIND_H
#define IDS_FIND_H

#include "rule/rule.h"

/*
 * The first place of a content's bytes in the n bytes from p on; NULL: they are not there. Takes
 * time in proportion to n, however the bytes were chosen.
 */
const uint8_t *find(const struct step *step, const uint8_t *p, size_t n);

#endif
