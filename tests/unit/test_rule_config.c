/* classification.config and reference.config: what they define, and what is said of bad lines. */
#include "rule/classes.h"
#include "rule/references.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/weir-config-XXXXXX";

static int
set_up(void **state)
{
    int fd;

    (void)state;
    strcpy(path + sizeof(path) - 7, "XXXXXX");
    fd = mkstemp(path);
    return fd < 0 || close(fd) != 0;
}

static int
tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static void
write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static struct text
text(const char *s)
{
    return (struct text){ s, strlen(s) };
}

static void
says(int rc, const struct weir_errbuf *err, int line, const char *why)
{
    char expected[256];

    snprintf(expected, sizeof(expected), "%s:%d: %s", path, line, why);
    assert_int_equal(rc, WEIR_E_SYNTAX);
    assert_string_equal(err->text, expected);
}

static void
classes_are_read(void **state)
{
    struct classes *classes;
    struct weir_errbuf err = { "" };

    (void)state;
    write_file("# comment\n\nconfig classification: a-b,Some text, 4\r\n"
               " config classification:c,,1\nconfig classification: a-b,Later,2\n");
    assert_int_equal(classes_load(path, &classes, &err), WEIR_E_OK);
    assert_int_equal(class_by_name(classes, text("a-b"))->priority, 2);
    assert_string_equal(class_by_name(classes, text("a-b"))->text, "Later");
    assert_string_equal(class_by_name(classes, text("c"))->text, "");
    assert_null(class_by_name(classes, text("misc-attack")));
    classes_free(classes);
    assert_int_equal(class_by_name(NULL, text("misc-attack"))->priority, 2);
}

static void
a_bad_line_is_named(void **state)
{
    static const char *const bad[] = { "config classification: a,b\n", "config classification: a\n",
                                       "config classification: ,b,1\n",
                                       "config classification: a,b,0\n",
                                       "config classification: a,b,x\n" };
    struct classes *classes;
    struct references *references;
    struct weir_errbuf err = { "" };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        write_file(bad[i]);
        says(classes_load(path, &classes, &err), &err, 1, "name,text,priority (1 to 255) expected");
        assert_null(classes);
    }
    write_file("\nconfig reference: x y\n");
    says(classes_load(path, &classes, &err), &err, 2, "config classification: expected");
    write_file("config reference: x\n");
    says(references_load(path, &references, &err), &err, 1, "name and address expected");
    assert_int_equal(classes_load("/nonexistent", &classes, &err), WEIR_E_IO);
}

static void
references_are_read(void **state)
{
    struct references *references;
    struct weir_errbuf err = { "" };

    (void)state;
    write_file("config reference: mine   https://example.org/\n");
    assert_int_equal(references_load(path, &references, &err), WEIR_E_OK);
    assert_string_equal(reference_prefix(references, text("MINE")), "https://example.org/");
    assert_null(reference_prefix(references, text("cve")));
    references_free(references);
    assert_string_equal(reference_prefix(NULL, text("url")), "http://");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = { T(classes_are_read), T(a_bad_line_is_named),
                                        T(references_are_read) };

    return cmocka_run_group_tests_name("rule_config", tests, NULL, NULL);
}
