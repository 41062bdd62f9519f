/* SSH: RFC 4253 sections 4.2, 6 and 7.1; HASSH. */
#include "ssh.h"

#include "support/exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BYTES(literal) ((struct weir_bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static void
is_text(struct weir_bytes bytes, const char *text)
{
    assert_int_equal(bytes.n, strlen(text));
    assert_memory_equal(bytes.p, text, bytes.n);
}

static void
the_identification_has_three_parts(void **state)
{
    struct ssh_banner banner;

    (void)state;
    assert_int_equal(ssh_banner_parse(BYTES("SSH-2.0-OpenSSH_9.2p1 Debian-2 x"), &banner),
                     WEIR_E_OK);
    is_text(banner.version, "2.0");
    is_text(banner.software, "OpenSSH_9.2p1");
    is_text(banner.comment, "Debian-2 x");
    assert_int_equal(ssh_banner_parse(BYTES("SSH-2.0-a-b"), &banner), WEIR_E_OK);
    is_text(banner.software, "a-b");
    assert_int_equal(ssh_banner_parse(BYTES("SSH-2.0"), &banner), WEIR_E_MALFORMED);
    assert_int_equal(ssh_banner_parse(BYTES("SSH--x"), &banner), WEIR_E_MALFORMED);
    assert_int_equal(ssh_banner_parse(BYTES("ssh-2.0-x"), &banner), WEIR_E_MALFORMED);
}

/* Lists k, h, c1, c2, m1, m2, z1, z2, none, none. */
static const char kexinit[] = "\024cookiecookiecook"
                              "\0\0\0\1k\0\0\0\1h\0\0\0\2c1\0\0\0\2c2\0\0\0\2m1\0\0\0\2m2"
                              "\0\0\0\2z1\0\0\0\2z2\0\0\0\0\0\0\0\0\0\0\0\0\0";

static void
kexinit_has_ten_lists(void **state)
{
    struct ssh_kexinit kex;
    char text[32];
    struct put put = put_begin(text, sizeof(text));

    (void)state;
    assert_int_equal(ssh_kexinit_parse(BYTES(kexinit), &kex), WEIR_E_OK);
    is_text(kex.list[SSH_HOST_KEY], "h");
    is_text(kex.list[SSH_MAC_TOCLIENT], "m2");
    is_text(kex.list[SSH_LANGUAGE_TOCLIENT], "");
    assert_int_equal(ssh_hassh_text(&kex, WEIR_TOSERVER, &put), WEIR_E_OK);
    assert_string_equal(text, "k;c1;m1;z1");
    put = put_begin(text, sizeof(text));
    assert_int_equal(ssh_hassh_text(&kex, WEIR_TOCLIENT, &put), WEIR_E_OK);
    assert_string_equal(text, "k;c2;m2;z2");
    put = put_begin(text, 5);
    assert_int_equal(ssh_hassh_text(&kex, WEIR_TOCLIENT, &put), WEIR_E_LIMIT);
}

static void
every_prefix_is_truncated_and_safe(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < sizeof(kexinit) - 6; n++) { /* the end is not needed */
        uint8_t *copy = exact_copy(kexinit, n);
        struct ssh_kexinit kex;

        assert_int_equal(ssh_kexinit_parse((struct weir_bytes){ copy, n }, &kex), WEIR_E_TRUNC);
        free(copy);
    }
}

static void
hassh_is_the_md5_of_the_text(void **state)
{
    struct digest *digest;
    struct ssh_kexinit kex;
    char hash[SSH_HASSH];

    (void)state;
    if (digest_new(&digest) == WEIR_E_UNSUPPORTED)
        skip();
    assert_int_equal(ssh_kexinit_parse(BYTES(kexinit), &kex), WEIR_E_OK);
    ssh_hassh(digest, &kex, WEIR_TOSERVER, hash);
    assert_string_equal(hash, "dd40933168f18f8a21ff43d3399175d8");
    ssh_hassh(digest, &kex, WEIR_TOCLIENT, hash);
    assert_string_equal(hash, "ef2009dcd463afbe99c5888867b06e53");
    digest_free(digest);
}

/* ---- a direction */

struct bench {
    struct pool *pool;
    struct ssh_side side;
    char seen[200];
};

static int
set_up(void **state)
{
    static struct bench bench;

    bench = (struct bench){ .pool = NULL };
    *state = &bench;
    return pool_new(POOL_MIN_BYTES, &bench.pool);
}

static int
tear_down(void **state)
{
    struct bench *b = *state;

    ssh_end(&b->side, b->pool);
    pool_free(b->pool);
    return 0;
}

static void
found(void *ctx, const struct ssh_banner *banner, const struct ssh_kexinit *kex)
{
    struct bench *b = ctx;
    const struct weir_bytes part = banner != NULL ? banner->software : kex->list[SSH_KEX];
    size_t n = strlen(b->seen);

    snprintf(b->seen + n, sizeof(b->seen) - n, "%s=%.*s ", banner != NULL ? "banner" : "kex",
             (int)part.n, (const char *)part.p);
}

static void
feed(struct bench *b, const char *p, size_t n, size_t piece)
{
    for (size_t at = 0; at < n; at += piece) {
        const size_t part = n - at < piece ? n - at : piece;
        uint8_t *copy = exact_copy(p + at, part);

        ssh_feed(&b->side, b->pool, (struct weir_bytes){ copy, (uint32_t)part }, found, b);
        free(copy);
    }
}

static size_t
packet(char *out, const void *payload, size_t n, uint8_t padding)
{
    memset(out, 0, 5 + n + padding);
    out[2] = (char)((n + padding + 1) >> 8);
    out[3] = (char)(n + padding + 1);
    out[4] = (char)padding;
    memcpy(out + 5, payload, n);
    return 5 + n + padding;
}

static void
banner_and_kexinit_are_found_however_they_are_cut(void **state)
{
    struct bench *b = *state;
    char bytes[400] = "Welcome\r\n\nSSH-2.0-x y\r\n";
    size_t n = strlen(bytes);

    n += packet(bytes + n, "\2ignored", 8, 4);
    n += packet(bytes + n, kexinit, sizeof(kexinit) - 1, 7);
    memcpy(bytes + n, "\0\0\0\x0c\x0a\x15", 6);
    n += 6;
    for (size_t piece = 1; piece <= n; piece++) {
        memset(&b->side, 0, sizeof(b->side));
        b->seen[0] = '\0';
        feed(b, bytes, n, piece);
        assert_string_equal(b->seen, "banner=x kex=k ");
        assert_int_equal(b->side.state, SSH_DONE);
        assert_null(b->side.line);
        assert_null(b->side.packet.block);
    }
}

static void
ssh_1_ends_with_its_banner(void **state)
{
    struct bench *b = *state;

    feed(b, "SSH-1.5-old\n\0\0\0", 15, 100);
    assert_string_equal(b->seen, "banner=old ");
    assert_int_equal(b->side.state, SSH_DONE);
    memset(&b->side, 0, sizeof(b->side));
    feed(b, "SSH-1.99-both\n", 14, 100);
    assert_int_equal(b->side.state, SSH_PACKETS);
}

static void
lines_have_their_bounds(void **state)
{
    struct bench *b = *state;
    char line[1100];

    memset(line, 'x', sizeof(line));
    line[1023] = '\n';
    for (unsigned i = 0; i < 4; i++) {
        feed(b, line, 1024, 100);
        assert_int_equal(b->side.state, SSH_LINES);
    }
    feed(b, "\n", 1, 1);
    assert_int_equal(b->side.state, SSH_BAD);
    memset(&b->side, 0, sizeof(b->side));
    feed(b, line, 1000, 100);
    feed(b, line, 25, 100); /* no end yet */
    assert_int_equal(b->side.state, SSH_BAD);
    assert_int_equal(pool_stats(b->pool)->too_long[POOL_SSH_LINE], 1);
    assert_null(b->side.line);
    memset(&b->side, 0, sizeof(b->side));
    memcpy(line, "SSH-2.0-", 8);
    line[255] = '\n';
    feed(b, line, 256, 300);
    assert_int_equal(b->side.state, SSH_BAD);
    memset(&b->side, 0, sizeof(b->side));
    line[254] = '\n';
    feed(b, line, 255, 300);
    assert_int_equal(b->side.state, SSH_PACKETS);
}

static void
holes_are_never_joined(void **state)
{
    struct bench *b = *state;
    char bytes[200];
    size_t n = packet(bytes, kexinit, sizeof(kexinit) - 1, 7);

    feed(b, "SSH-2.0-", 8, 100);
    ssh_gap(&b->side, b->pool, 3);
    assert_int_equal(b->side.state, SSH_LOST);
    assert_null(b->side.line);
    memset(&b->side, 0, sizeof(b->side));
    feed(b, "SSH-2.0-x\n\0\0\0\x10", 14, 100);
    ssh_gap(&b->side, b->pool, 16); /* just that packet */
    feed(b, bytes, n, 50);
    assert_string_equal(b->seen, "banner=x kex=k ");
}

static void
odd_packets_are_given_up(void **state)
{
    struct bench *b = *state;
    char bytes[64];

    feed(b, "SSH-2.0-x\n\0\0\0\2\1\2", 16, 100); /* padding longer than the packet */
    assert_int_equal(b->side.state, SSH_BAD);
    memset(&b->side, 0, sizeof(b->side));
    feed(b, "SSH-2.0-x\n", 10, 100);
    for (unsigned i = 0; i <= SSH_PACKETS_BEFORE; i++) {
        assert_int_equal(b->side.state, SSH_PACKETS);
        feed(b, bytes, packet(bytes, "\2", 1, 4), 100);
    }
    assert_int_equal(b->side.state, SSH_BAD);
    memset(&b->side, 0, sizeof(b->side));
    feed(b, "SSH-2.0-x\n\0\0\0\5\1\024abc", 19, 100); /* a KEXINIT that is cut */
    assert_int_equal(b->side.state, SSH_BAD);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_identification_has_three_parts),
        cmocka_unit_test(kexinit_has_ten_lists),
        cmocka_unit_test(every_prefix_is_truncated_and_safe),
        cmocka_unit_test(hassh_is_the_md5_of_the_text),
        cmocka_unit_test_setup_teardown(banner_and_kexinit_are_found_however_they_are_cut, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(ssh_1_ends_with_its_banner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_have_their_bounds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(holes_are_never_joined, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_packets_are_given_up, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("ssh", tests, NULL, NULL);
}
