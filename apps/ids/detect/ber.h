/* BER (X.690) as far as rules ask for it: headers of elements, and what of them is suspicious. */
#ifndef IDS_BER_H
#define IDS_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BER_ELEMENTS_MAX = 256 }; /* that ber_look() goes through */

enum ber_answer {
    BER_NO,
    BER_YES,
    BER_CUT, /* it depends on bytes behind */
};

/* The header of an element. */
struct ber_element {
    uint8_t tag; /* its first byte: class, whether it is constructed, and the number or 31 */
    bool constructed;
    bool endless; /* its length is indefinite */
    size_t header;
    uint64_t length; /* of its content; 0 where that is endless */
};

/* BER_NO: a length that has more than 8 bytes. */
enum ber_answer ber_read(const uint8_t *p, size_t n, struct ber_element *out);

/* What the option asn1 asks for: any of these. */
struct ber_ask {
    bool bit_string; /* more bits are unused than there are */
    bool real;       /* a decimal REAL of more than 256 bytes */
    uint32_t longer; /* a length beyond this; UINT32_MAX: not asked for */
};

/*
 * Elements from p on, those in constructed ones too. BER_CUT: more is *needed bytes.
 */
enum ber_answer ber_look(const uint8_t *p, size_t n, const struct ber_ask *ask, uint64_t *needed);

#endif
