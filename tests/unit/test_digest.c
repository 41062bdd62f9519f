/* Digests: known values, and no memory asked for once they are made. */
#include "digest.h"

#include <weir/error.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void
text_of(struct digest *digest, enum digest_kind kind, const char *of, char *text, size_t size)
{
    struct put put = put_begin(text, size);
    uint8_t bytes[DIGEST_MAX];

    digest_text(bytes, digest_of(digest, kind, of, strlen(of), bytes), '\0', &put);
}

/* RFC 1321 A.5, RFC 3174 7.3, FIPS 180-2 B.1. */
static void
known_values_come_out(void **state)
{
    struct digest *digest;
    char text[65];

    (void)state;
    if (digest_new(&digest) == WEIR_E_UNSUPPORTED)
        skip();
    text_of(digest, DIGEST_MD5, "abc", text, sizeof(text));
    assert_string_equal(text, "900150983cd24fb0d6963f7d28e17f72");
    text_of(digest, DIGEST_SHA1, "abc", text, sizeof(text));
    assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
    text_of(digest, DIGEST_SHA256, "abc", text, sizeof(text));
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    text_of(digest, DIGEST_MD5, "", text, sizeof(text)); /* again, of nothing */
    assert_string_equal(text, "d41d8cd98f00b204e9800998ecf8427e");
    digest_free(digest);
    digest_free(NULL);
}

static void
bytes_have_a_separator_between_two(void **state)
{
    char text[16];
    struct put put = put_begin(text, sizeof(text));

    (void)state;
    digest_text((const uint8_t *)"\x01\xab\xff", 3, ':', &put);
    assert_string_equal(text, "01:ab:ff");
}

#ifdef HAVE_CRYPTO
#include <openssl/crypto.h>

static unsigned asked;

static void *
counted_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    asked++;
    return malloc(n);
}

static void *
counted_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    asked++;
    return realloc(p, n);
}

static void
counted_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static void
nothing_is_allocated_after_set_up(void **state)
{
    uint8_t bytes[DIGEST_MAX];
    struct digest *digest;
    unsigned at_first;

    (void)state;
    assert_int_equal(digest_new(&digest), WEIR_E_OK);
    at_first = asked;
    for (unsigned i = 0; i < 30; i++)
        digest_of(digest, (enum digest_kind)(i % DIGEST_KINDS), "abc", 3, bytes);
    assert_int_equal(asked, at_first);
    digest_free(digest);
}
#endif

int
main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef HAVE_CRYPTO
        cmocka_unit_test(nothing_is_allocated_after_set_up),
#endif
        cmocka_unit_test(known_values_come_out),
        cmocka_unit_test(bytes_have_a_separator_between_two),
    };

#ifdef HAVE_CRYPTO
    if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1)
        return 1;
#endif
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
