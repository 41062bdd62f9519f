/* Configuration files become names and values, or are refused with file and line. */
#include "config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int
tear_down(void **state)
{
    config_free(*state);
    return 0;
}

static int
set_up(void **state)
{
    static struct config config;

    *state = &config;
    return 0;
}

static int
load(void **state, const char *text, struct weir_errbuf *err)
{
    *err = (struct weir_errbuf){ "" };
    return config_load_text(*state, "a.yaml", text, strlen(text), err);
}

static void
add(char *to, size_t room, const char *text)
{
    size_t n = strlen(to);

    assert_true(n + strlen(text) + 2 < room);
    snprintf(to + n, room - n, "%s\n", text);
}

/* All settings, a line each. */
static void
gives(void **state, const char *text, const char *lines)
{
    const struct config *config = *state;
    struct weir_errbuf err;
    char said[4096] = "";

    assert_int_equal(load(state, text, &err), WEIR_E_OK);
    for (size_t i = 0; i < config->n; i++)
        add(said, sizeof(said), config->at[i].text);
    assert_string_equal(said, lines);
    config_free(*state);
}

static void
refused(void **state, const char *text, const char *why)
{
    struct weir_errbuf err;

    assert_int_equal(load(state, text, &err), WEIR_E_SYNTAX);
    assert_string_equal(err.text, why);
    config_free(*state);
}

/* libyaml is not there: nothing can be tested. */
static bool
is_built(void **state)
{
    struct weir_errbuf err;
    int rc = load(state, "", &err);

    config_free(*state);
    if (rc == WEIR_E_UNSUPPORTED)
        skip();
    return rc == WEIR_E_OK;
}

static void
mappings_become_dotted_names(void **state)
{
    assert_true(is_built(state));
    gives(state,
          "%YAML 1.1\n---\n"
          "vars:\n  address-groups:\n    HOME_NET: \"[10.0.0.0/8,!10.1.1.1]\"\n"
          "  port-groups: {HTTP_PORTS: 80}\n"
          "max-pending-packets: 1024 # a comment\n"
          "text: 'it''s = x'\n"
          "folded: >\n  a\n  b\n",
          "vars.address-groups.HOME_NET=[10.0.0.0/8,!10.1.1.1]\n"
          "vars.port-groups.HTTP_PORTS=80\n"
          "max-pending-packets=1024\n"
          "text=it's = x\n"
          "folded=a b\n\n");
}

static void
lists_have_numbers_and_their_mappings_names(void **state)
{
    assert_true(is_built(state));
    gives(state,
          "outputs:\n  - fast:\n      enabled: no\n  - eve-log:\n      types:\n"
          "        - alert:\n            payload: yes\n        - flow\n        - dns:\n"
          "rule-files: [a.rules, 'b.rules']\nempty: []\nnested: [[1, 2], [3]]\n",
          "outputs.0=fast\noutputs.0.fast.enabled=no\noutputs.1=eve-log\n"
          "outputs.1.eve-log.types.0=alert\noutputs.1.eve-log.types.0.alert.payload=yes\n"
          "outputs.1.eve-log.types.1=flow\noutputs.1.eve-log.types.2=dns\n"
          "rule-files.0=a.rules\nrule-files.1=b.rules\n"
          "nested.0.0=1\nnested.0.1=2\nnested.1.0=3\n");
}

static void
nothing_sets_nothing(void **state)
{
    assert_true(is_built(state));
    gives(state, "", "");
    gives(state, "%YAML 1.1\n---\n", "");
    gives(state, "a:\nb: ~\nc: null\nd: \"\"\ne: 'null'\n", "d=\ne=null\n");
}

static void
faults_have_their_line(void **state)
{
    assert_true(is_built(state));
    refused(state, "a: 1\nb: 2\na: 3\n", "a.yaml:3: 'a' comes twice");
    refused(state, "a: &x 1\nb: *x\n", "a.yaml:2: no alias is expected");
    refused(state, "a: 1\n---\nb: 2\n", "a.yaml:2: one document is expected");
    refused(state, "- a\n- b\n", "a.yaml:1: names and values are expected");
    refused(state, "a: 1\n? [b]\n: 2\n", "a.yaml:2: a name is expected");
    refused(state, "a: 1\n'b=c': 2\n", "a.yaml:2: a name is expected, without =");
    refused(state, "a: !x 1\n", "a.yaml:1: no tag is expected but !include");
    refused(state, "a: \"\\0\"\n", "a.yaml:1: text expected, not a zero byte");
    refused(state, "a: 1\nb: [1\nc: 2\n", "a.yaml:3: did not find expected ',' or ']'");
    refused(state, "include: [[a]]\n", "a.yaml:1: include: the name of a file is expected");
}

static void
depth_and_length_have_bounds(void **state)
{
    char text[4096] = "a: ";
    struct weir_errbuf err;

    assert_true(is_built(state));
    for (int i = 0; i < CONFIG_DEPTH_MAX; i++)
        strcat(text, "[");
    strcat(text, "1");
    for (int i = 0; i < CONFIG_DEPTH_MAX; i++)
        strcat(text, "]");
    assert_int_equal(load(state, text, &err), WEIR_E_OK);
    config_free(*state);
    memmove(text + 4, text + 3, strlen(text + 3) + 1);
    text[3] = '[';
    strcat(text, "]");
    refused(state, text, "a.yaml:1: too deep");

    memset(text, 'k', sizeof(text)); /* two names and a dot */
    memcpy(text + CONFIG_NAME_MAX / 2, ": {", 3);
    strcpy(text + CONFIG_NAME_MAX + 2, ": 1}");
    assert_int_equal(load(state, text, &err), WEIR_E_OK);
    config_free(*state);
    strcpy(text + CONFIG_NAME_MAX + 2, "k: 1}");
    refused(state, text, "a.yaml:1: the name is too long");
}

static void
write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void
files_include_others_in_their_place(void **state)
{
    const struct config *config = *state;
    char dir[] = "/tmp/weir-config-XXXXXX", main_path[64], sub[64];
    struct weir_errbuf err = { "" };

    assert_true(is_built(state));
    assert_non_null(mkdtemp(dir));
    snprintf(main_path, sizeof(main_path), "%s/main.yaml", dir);
    snprintf(sub, sizeof(sub), "%s/sub.yaml", dir);
    write_file(sub, "HOME_NET: 10.0.0.1\n");
    write_file(main_path, "a: 1\nvars:\n  address-groups:\n    include: sub.yaml\n"
                          "other: !include sub.yaml\n");
    assert_int_equal(config_load(*state, main_path, &err), WEIR_E_OK);
    assert_int_equal(config->n, 3);
    assert_string_equal(config->at[1].text, "vars.address-groups.HOME_NET=10.0.0.1");
    assert_string_equal(config->at[1].file, sub);
    assert_int_equal(config->at[1].line, 1);
    assert_string_equal(config->at[2].text, "other.HOME_NET=10.0.0.1");
    assert_ptr_equal(config_find(config, config->at[2].text + 9), &config->at[2]);
    assert_null(config_find(config, "x"));
    config_free(*state);

    write_file(sub, "include: main.yaml\n");
    assert_int_equal(config_load(*state, main_path, &err), WEIR_E_SYNTAX);
    assert_non_null(strstr(err.text, "main.yaml:4: include: too many files in each other"));
    config_free(*state);
    unlink(sub);
    assert_int_equal(config_load(*state, main_path, &err), WEIR_E_NOENT);
    assert_non_null(strstr(err.text, "sub.yaml: No such file"));
    unlink(main_path);
    rmdir(dir);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(mappings_become_dotted_names), T(lists_have_numbers_and_their_mappings_names),
        T(nothing_sets_nothing),         T(faults_have_their_line),
        T(depth_and_length_have_bounds), T(files_include_others_in_their_place),
    };

    return cmocka_run_group_tests_name("config_file", tests, NULL, NULL);
}
