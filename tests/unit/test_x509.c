/* Certificates: RFC 5280. */
#include "x509.h"

#include "support/exact.h"
#include "tls_bytes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BYTES(literal) ((struct weir_bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static struct x509
parsed(void)
{
    struct x509 cert;

    assert_int_equal(x509_parse((struct weir_bytes){ certificate, sizeof(certificate) }, &cert),
                     WEIR_E_OK);
    return cert;
}

static void
names_serial_and_dates_are_read(void **state)
{
    const struct x509 cert = parsed();
    char text[200];
    struct put put = put_begin(text, sizeof(text));
    struct weir_bytes cn;

    (void)state;
    assert_int_equal(cert.version, 3);
    assert_int_equal(x509_name_text(cert.subject, &put), WEIR_E_OK);
    assert_string_equal(text,
                        "C=US, O=Example, Inc., OU=Net, CN=www.example.org, emailAddress=a@b.c");
    assert_int_equal(cert.issuer.n, cert.subject.n);
    assert_memory_equal(cert.issuer.p, cert.subject.p, cert.subject.n);
    assert_true(x509_common_name(cert.subject, &cn));
    assert_int_equal(cn.n, 15);
    assert_memory_equal(cn.p, "www.example.org", 15);
    put = put_begin(text, sizeof(text));
    x509_serial_text(cert.serial, &put);
    assert_string_equal(text, "F1:A2:B3:C4");
    assert_int_equal(cert.not_before, INT64_C(1795652284)); /* 2026-11-26 00:18:04 */
    assert_int_equal(cert.not_after, INT64_C(1795652284) + 365 * 86400);
}

static void
alternative_names_are_walked(void **state)
{
    struct x509 cert = parsed();
    struct weir_bytes name;

    (void)state;
    assert_true(x509_next_dns_name(&cert.alt_names, &name));
    assert_int_equal(name.n, 15);
    assert_true(x509_next_dns_name(&cert.alt_names, &name)); /* past an address */
    assert_int_equal(name.n, 13);
    assert_memory_equal(name.p, "*.example.net", 13);
    assert_false(x509_next_dns_name(&cert.alt_names, &name));
}

static void
every_prefix_is_truncated_and_safe(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < sizeof(certificate); n++) {
        uint8_t *copy = exact_copy(certificate, n);
        struct x509 cert;

        assert_int_equal(x509_parse((struct weir_bytes){ copy, n }, &cert), WEIR_E_TRUNC);
        free(copy);
    }
}

static void
what_contradicts_der_is_malformed(void **state)
{
    struct x509 cert;

    (void)state;
    assert_int_equal(x509_parse(BYTES("\x31\x00"), &cert), WEIR_E_MALFORMED); /* a set */
    assert_int_equal(x509_parse(BYTES("\x30\x80\x30\x00\x00\x00"), &cert), WEIR_E_MALFORMED);
    assert_int_equal(x509_parse(BYTES("\x30\x85\x00\x00\x00\x00\x00"), &cert), WEIR_E_MALFORMED);
    assert_int_equal(x509_parse(BYTES("\x3f\x81\x00"), &cert), WEIR_E_MALFORMED); /* long tag */
    assert_int_equal(x509_parse(BYTES("\x30\x84\xff\xff\xff\xff"), &cert), WEIR_E_TRUNC);
    assert_int_equal(x509_parse(BYTES("\x30\x07\x30\x05\xa0\x03\x02\x01\x07"), &cert),
                     WEIR_E_MALFORMED); /* version 8 */
}

static void
odd_values_have_a_text_too(void **state)
{
    char text[64];
    struct put put = put_begin(text, sizeof(text));

    (void)state;
    assert_int_equal(x509_name_text(BYTES("\x31\x11\x30\x0f\x06\x03\x55\x04\x03\x1e\x08"
                                          "\x00h\x00\xe9\x20\xac\x00!"),
                                    &put),
                     WEIR_E_OK);
    assert_string_equal(text, "CN=h\xc3\xa9\xe2\x82\xac!");
    put = put_begin(text, sizeof(text));
    assert_int_equal(
        x509_name_text(BYTES("\x31\x0b\x30\x09\x06\x04\x2b\x83\x37\x01\x13\x01x"), &put),
        WEIR_E_OK);
    assert_string_equal(text, "1.3.439.1=x");
    put = put_begin(text, sizeof(text));
    assert_int_equal(x509_name_text(BYTES("\x31\x09\x30"), &put), WEIR_E_MALFORMED);
}

/* A minimal certificate whose notBefore is 13 or 15 characters. */
static int
with_time(const char *time, uint8_t tag, int64_t *out)
{
    uint8_t der[96] = { 0x30, 0, 0x30, 0, 2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0 };
    const uint8_t n = (uint8_t)strlen(time);
    struct x509 cert;
    uint8_t at = 13;
    int rc;

    for (unsigned i = 0; i < 2; i++) {
        der[at++] = tag;
        der[at++] = n;
        memcpy(der + at, time, n);
        at = (uint8_t)(at + n);
    }
    der[12] = (uint8_t)(at - 13);
    memcpy(der + at, "\x30\0\x30\0", 4); /* subject, key */
    at = (uint8_t)(at + 4);
    der[3] = (uint8_t)(at - 4);
    der[1] = (uint8_t)(at - 2);
    rc = x509_parse((struct weir_bytes){ der, at }, &cert);
    assert_int_equal(rc, WEIR_E_OK); /* whatever the dates are */
    assert_int_equal(cert.issuer.p - der, 11);
    *out = cert.not_before;
    return rc == WEIR_E_OK && cert.undated ? WEIR_E_MALFORMED : rc;
}

static void
both_forms_of_time_are_read(void **state)
{
    int64_t t;

    (void)state;
    assert_int_equal(with_time("700101000000Z", 0x17, &t), WEIR_E_OK);
    assert_int_equal(t, 0);
    assert_int_equal(with_time("490101000000Z", 0x17, &t), WEIR_E_OK);
    assert_int_equal(t, INT64_C(2493072000));
    assert_int_equal(with_time("500101000000Z", 0x17, &t), WEIR_E_OK);
    assert_int_equal(t, INT64_C(-631152000));
    assert_int_equal(with_time("20000229235960Z", 0x18, &t), WEIR_E_OK);
    assert_int_equal(t, INT64_C(951868800));
    assert_int_equal(with_time("99991231235959Z", 0x18, &t), WEIR_E_OK);
    assert_int_equal(t, INT64_C(253402300799));
    assert_int_equal(with_time("701301000000Z", 0x17, &t), WEIR_E_MALFORMED);
    assert_int_equal(with_time("70010100000aZ", 0x17, &t), WEIR_E_MALFORMED);
    assert_int_equal(with_time("7001", 0x17, &t), WEIR_E_MALFORMED);
    assert_int_equal(with_time("700101000000Z", 0x13, &t), WEIR_E_MALFORMED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_serial_and_dates_are_read),
        cmocka_unit_test(alternative_names_are_walked),
        cmocka_unit_test(every_prefix_is_truncated_and_safe),
        cmocka_unit_test(what_contradicts_der_is_malformed),
        cmocka_unit_test(odd_values_have_a_text_too),
        cmocka_unit_test(both_forms_of_time_are_read),
    };

    return cmocka_run_group_tests_name("x509", tests, NULL, NULL);
}
