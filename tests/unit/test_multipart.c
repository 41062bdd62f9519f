/* Files in multipart bodies: boundaries, parts, what is cut anywhere. */
#include "app/multipart.h"

#include "support/exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct weir_bytes
bytes(const char *text)
{
    return (struct weir_bytes){ (const uint8_t *)text, (uint32_t)strlen(text) };
}

static void
is(struct weir_bytes got, const char *want)
{
    assert_int_equal(got.n, strlen(want));
    assert_memory_equal(got.p, want, got.n);
}

static void
boundaries_are_found(void **state)
{
    struct weir_bytes b;

    (void)state;
    assert_true(multipart_boundary(bytes("multipart/form-data; boundary=ab"), &b));
    is(b, "ab");
    assert_true(multipart_boundary(bytes("Multipart/Form-Data; BOUNDARY=\"a;b\"; x"), &b));
    is(b, "a;b");
    assert_true(multipart_boundary(bytes("multipart/form-data;boundary=ab ;charset=x"), &b));
    is(b, "ab");
    assert_false(multipart_boundary(bytes("multipart/form-data"), &b));
    assert_false(multipart_boundary(bytes("multipart/form-data; boundary="), &b));
    assert_false(multipart_boundary(bytes("text/html; boundary=a"), &b));
    assert_false(multipart_boundary(bytes(""), &b));
}

static void
file_names_are_found(void **state)
{
    struct weir_bytes name;

    (void)state;
    assert_true(multipart_file_name(bytes("attachment; filename=a.exe"), &name));
    is(name, "a.exe");
    assert_true(multipart_file_name(bytes("attachment; FileName=\"a;b .js\"; size=1"), &name));
    is(name, "a;b .js");
    assert_true(multipart_file_name(bytes("x; filename=a ;size=1\r\nfilename=b"), &name));
    is(name, "a");
    assert_true(multipart_file_name(bytes("x; filename=\"a\r\n"), &name));
    is(name, "a");
    assert_false(multipart_file_name(bytes("inline"), &name));
    assert_false(multipart_file_name(bytes("x; filename="), &name));
    assert_false(multipart_file_name(bytes("x; filename*=a"), &name));
    assert_false(multipart_file_name(bytes(""), &name));
}

/* What looks like the parameter and is none: text in quotes, another one's name. */
static void
other_parameters_name_no_file(void **state)
{
    struct weir_bytes name;

    (void)state;
    assert_true(
        multipart_file_name(bytes("a; name=\"filename=a.txt\"; filename=\"e.exe\""), &name));
    is(name, "e.exe");
    assert_true(multipart_file_name(bytes("a; name=\"\\\"; filename=a.txt\"; filename=e"), &name));
    is(name, "e");
    assert_true(multipart_file_name(bytes("filename=a.txt; xfilename=b; filename = e.exe"), &name));
    is(name, "e.exe");
    assert_true(multipart_file_name(bytes("a; filename=\"\"; filename=\"a\\\".e.exe\""), &name));
    is(name, "a\\\".e.exe");
    assert_true(multipart_file_name(bytes("a; filename=a.txt; filename*=UTF-8'en'e.exe"), &name));
    is(name, "e.exe");
    assert_false(multipart_file_name(bytes("a; b=\"; filename=a"), &name));
    assert_true(multipart_boundary(bytes("multipart/form-data; xboundary=a; boundary=b"), &name));
    is(name, "b");
}

static void
only_content_disposition_names_a_file(void **state)
{
    static const char odd[] =
        "--x\r\nX: filename=a\r\nContent-Disposition: form-data; name=filename\r\n\r\n"
        "no file\r\n--x\r\nX: filename=a\r\ncontent-disposition : form-data;\r\n"
        " filename*=UTF-8''e; filename=f\r\n\r\nfile\r\n--x\r\n"
        "Content-Disposition: form-data; filename*=UTF-8''g\r\n\r\n--x--";
    struct weir_bytes file, name;

    (void)state;
    assert_int_equal(multipart_file(bytes(odd), bytes("x"), 0, &file, &name), MULTIPART_FILE);
    is(name, "f");
    is(file, "file");
    assert_int_equal(multipart_file(bytes(odd), bytes("x"), 1, &file, &name), MULTIPART_FILE);
    is(name, "g");
    assert_int_equal(multipart_file(bytes(odd), bytes("x"), 2, &file, &name), MULTIPART_END);
}

static const char form[] = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nvalue\r\n"
                           "--x\r\nContent-Disposition: form-data; name=f; FileName=\"n\"\r\n"
                           "Content-Type: a/b\r\n\r\nfirst - file\r\n--x\r\n"
                           "Content-Disposition: form-data; filename=m\n\n--y\n--x--\r\n";

static void
files_are_found_in_their_order(void **state)
{
    struct weir_bytes file, name;

    (void)state;
    assert_int_equal(multipart_file(bytes(form), bytes("x"), 0, &file, &name), MULTIPART_FILE);
    is(file, "first - file");
    is(name, "n");
    assert_int_equal(multipart_file(bytes(form), bytes("x"), 1, &file, &name), MULTIPART_FILE);
    is(file, "--y");
    is(name, "m");
    assert_int_equal(multipart_file(bytes(form), bytes("x"), 2, &file, &name), MULTIPART_END);
    assert_int_equal(multipart_file(bytes(form), bytes("z"), 0, &file, &name), MULTIPART_NONE);
    assert_int_equal(multipart_file(bytes(""), bytes("x"), 0, &file, &name), MULTIPART_NONE);
}

static void
every_prefix_is_safe(void **state)
{
    struct weir_bytes file, name;
    bool part = false;

    (void)state;
    for (size_t n = 0; n <= strlen(form); n++) {
        uint8_t *copy = exact_copy(form, n);

        for (unsigned i = 0; i < 3; i++) {
            const struct weir_bytes cut = { copy, (uint32_t)n };
            enum multipart rc = multipart_file(cut, bytes("x"), i, &file, &name);

            if (rc >= MULTIPART_FILE)
                assert_true(file.p >= copy && file.p + file.n <= copy + n);
            part |= rc == MULTIPART_PART && i == 0 && file.n == 5 &&
                    memcmp(file.p, "first", 5) == 0;
        }
        free(copy);
    }
    assert_true(part);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boundaries_are_found),
        cmocka_unit_test(file_names_are_found),
        cmocka_unit_test(other_parameters_name_no_file),
        cmocka_unit_test(only_content_disposition_names_a_file),
        cmocka_unit_test(files_are_found_in_their_order),
        cmocka_unit_test(every_prefix_is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
