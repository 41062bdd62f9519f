/* Fingerprints of TLS hellos. The values of JA4 are those of its description. */
#include "ja.h"

#include "tls_bytes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct tls_client_hello
chrome(void)
{
    struct tls_client_hello hello;

    assert_int_equal(
        tls_client_hello_parse((struct weir_bytes){ client_hello, sizeof(client_hello) }, &hello),
        WEIR_E_OK);
    return hello;
}

static struct digest *
new_digest(void)
{
    struct digest *digest;

    if (digest_new(&digest) == WEIR_E_UNSUPPORTED)
        skip();
    return digest;
}

static void
ja3_is_the_lists_without_grease(void **state)
{
    struct digest *digest = new_digest();
    const struct tls_client_hello hello = chrome();
    char text[JA3_MAX], hash[JA_HASH];
    struct put put = put_begin(text, sizeof(text));

    (void)state;
    assert_int_equal(ja3_text(&hello, &put), WEIR_E_OK);
    assert_string_equal(text, "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-"
                              "156-157-47-53,27-0-51-16-17513-23-45-13-5-35-18-43-65281-11-10-21,"
                              "29-23-24,0");
    ja3_hash(digest, &put, hash);
    assert_string_equal(hash, "c000e2caf3a25423f9de6c8a4b12a975");
    digest_free(digest);
}

static void
ja3s_is_what_was_chosen(void **state)
{
    struct tls_server_hello hello;
    char text[64];
    struct put put = put_begin(text, sizeof(text));

    (void)state;
    assert_int_equal(tls_server_hello_parse(
                         (struct weir_bytes){ server_hello_12, sizeof(server_hello_12) }, &hello),
                     WEIR_E_OK);
    assert_int_equal(ja3s_text(&hello, &put), WEIR_E_OK);
    assert_string_equal(text, "771,49199,65281-16");
}

static const char *
ja4_of(const struct tls_client_hello *hello, char text[JA4_MAX + 1])
{
    struct digest *digest = new_digest();
    struct put put = put_begin(text, JA4_MAX + 1);

    assert_int_equal(ja4_text(hello, digest, &put), WEIR_E_OK);
    digest_free(digest);
    return text;
}

static void
ja4_is_as_described(void **state)
{
    const struct tls_client_hello hello = chrome();
    char text[JA4_MAX + 1];

    (void)state;
    assert_string_equal(ja4_of(&hello, text), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

#define BYTES(literal) ((struct weir_bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static void
ja4_of_what_is_missing(void **state)
{
    struct tls_client_hello hello = { .version = TLS_1_0 };
    char text[JA4_MAX + 1];

    (void)state;
    assert_string_equal(ja4_of(&hello, text), "t10i000000_000000000000_000000000000");
    hello.alpn = BYTES("\1x");
    assert_string_equal(ja4_of(&hello, text), "t10i0000xx_000000000000_000000000000");
    hello.alpn = BYTES("\3\xab"
                       "z\xcd");
    assert_string_equal(ja4_of(&hello, text), "t10i0000ad_000000000000_000000000000");
    hello.versions = BYTES("\x3a\x3a\3\0");
    hello.version = 0x1234;
    assert_string_equal(ja4_of(&hello, text), "ts3i0000ad_000000000000_000000000000");
}

static void
more_than_can_be_sorted_has_no_fingerprint(void **state)
{
    static uint8_t many[2 * (JA4_LIST + 1)];
    struct tls_client_hello hello = { .ciphers = { many, sizeof(many) } };
    struct digest *digest = new_digest();
    char text[JA3_MAX];
    struct put put = put_begin(text, sizeof(text));

    (void)state;
    memset(many, 0x55, sizeof(many));
    assert_int_equal(ja4_text(&hello, digest, &put), WEIR_E_LIMIT);
    hello.ciphers.n -= 2;
    assert_int_equal(ja4_text(&hello, digest, &put), WEIR_E_OK);
    put = put_begin(text, 100);
    assert_int_equal(ja3_text(&hello, &put), WEIR_E_LIMIT);
    hello.sslv2 = true;
    assert_int_equal(ja3_text(&hello, &put), WEIR_E_UNSUPPORTED);
    assert_int_equal(ja4_text(&hello, digest, &put), WEIR_E_UNSUPPORTED);
    digest_free(digest);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ja3_is_the_lists_without_grease),
        cmocka_unit_test(ja3s_is_what_was_chosen),
        cmocka_unit_test(ja4_is_as_described),
        cmocka_unit_test(ja4_of_what_is_missing),
        cmocka_unit_test(more_than_can_be_sorted_has_no_fingerprint),
    };

    return cmocka_run_group_tests_name("ja", tests, NULL, NULL);
}
