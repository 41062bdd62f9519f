#include "cli_parts.h"

#include "cli_dump.h"
#include "cli_inline.h"
#include "cli_live.h"
#include "cli_set.h"
#include "for_programs.h"
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMN_HELP = 26 };

/* ---- the command line ---------------------------------------------------------------------- */

static void
help_of(const struct cli_option *option)
{
    char left[80], letter[8] = "    ";

    if (option->letter != 0)
        snprintf(letter, sizeof(letter), "-%c%s", option->letter, option->name != NULL ? ", " : "");
    snprintf(left, sizeof(left), "  %s%s%s%s%s", letter, option->name != NULL ? "--" : "",
             option->name != NULL ? option->name : "", option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "");
    if (strlen(left) >= COLUMN_HELP)
        printf("%s\n%*s%s\n", left, COLUMN_HELP, "", option->help);
    else
        printf("%-*s%s\n", COLUMN_HELP, left, option->help);
}

static void
help(const struct cli *cli)
{
    printf("Usage: %s %s\n%s\n\n", cli->program, cli->synopsis, cli->about);
    for (const struct cli_option *o = cli->options; o->help != NULL; o++)
        help_of(o);
    if (cli->beside_options != NULL)
        printf("\nWith --with %s:\n", cli->beside_name);
    for (const struct cli_option *o = cli->beside_options; o != NULL && o->help != NULL; o++)
        help_of(o);
    printf("\n");
    for (const struct cli_option *o = cli_common; o->help != NULL; o++)
        help_of(o);
    printf(
        "\nExit codes: 0 done, 1 run-time or read error, 2 wrong command line or configuration,\n"
        "%s128 + n a replay cut by signal n. The manual: %s(1).\n",
        cli->exits != NULL ? cli->exits : "", cli->program);
}

static bool
matches(const struct cli_option *option, char letter, const char *name, size_t n)
{
    if (letter != 0)
        return option->letter == letter;
    return option->name != NULL && strlen(option->name) == n && memcmp(option->name, name, n) == 0;
}

/* The option, and the ctx that its take() wants; NULL: there is none. */
static const struct cli_option *
find_option(struct cli *cli, char letter, const char *name, size_t n, void **ctx)
{
    const struct {
        const struct cli_option *table;
        void *ctx;
    } tables[] = { { cli->options, cli->ctx },
                   { cli->beside_options, cli->beside },
                   { cli_common, cli } };

    for (unsigned i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
        *ctx = tables[i].ctx;
        for (const struct cli_option *o = tables[i].table; o != NULL && o->help != NULL; o++)
            if (matches(o, letter, name, n)) {
                if (tables[i].table == cli->beside_options)
                    cli->beside_given = o;
                return o;
            }
    }
    return NULL;
}

/* Where the parser stands. */
struct words {
    char **at, **end;
};

/* What was asked for is on standard output: the exit code. */
static int
printed(const struct cli *cli)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_DONE;
    cli_error(cli, "standard output: %s", strerror(errno));
    return EXIT_FAILED;
}

/* Returns -1 to go on, or the exit code. */
static int
apply(struct cli *cli, const struct cli_option *option, void *ctx, const char *value)
{
    struct weir_errbuf err = { "" };

    if (option->letter == 'h' && option->take == cli_take_nothing) {
        help(cli);
        return printed(cli);
    }
    if (option->letter == 'V' && option->take == cli_take_nothing) {
        printf("%s %s\n", cli->program, PACKAGE_VERSION);
        return printed(cli);
    }
    if (option->take == cli_take_list)
        return cli_list_interfaces(cli);
    if (option->take(ctx, value, &err) == WEIR_E_OK)
        return -1;
    cli_error(cli, "%s", err.text);
    return EXIT_USAGE;
}

static int
usage_error(const struct cli *cli, const char *what, const char *word, size_t n)
{
    cli_error(cli, "%s '%.*s' (try %s --help)", what, (int)n, word, cli->program);
    return EXIT_USAGE;
}

static int
parse_long(struct cli *cli, const char *word, struct words *words)
{
    const char *equals = strchr(word, '='), *value = NULL;
    size_t n = equals != NULL ? (size_t)(equals - word) : strlen(word);
    void *ctx;
    const struct cli_option *option = find_option(cli, 0, word + 2, n - 2, &ctx);

    if (option == NULL)
        return usage_error(cli, "unknown option", word, n);
    if (option->value == NULL && equals != NULL)
        return usage_error(cli, "no value is expected by", word, n);
    if (option->value != NULL) {
        if (equals == NULL && words->at == words->end)
            return usage_error(cli, "a value is expected by", word, n);
        value = equals != NULL ? equals + 1 : *words->at++;
    }
    return apply(cli, option, ctx, value);
}

/* "-qr FILE", "-rFILE": letters, up to one that takes a value. */
static int
parse_short(struct cli *cli, const char *word, struct words *words)
{
    int code = -1;

    for (const char *p = word + 1; *p != '\0' && code < 0; p++) {
        char name[] = { '-', *p, '\0' };
        void *ctx;
        const struct cli_option *option = find_option(cli, *p, NULL, 0, &ctx);

        if (option == NULL)
            return usage_error(cli, "unknown option", name, 2);
        if (option->value == NULL) {
            code = apply(cli, option, ctx, NULL);
            continue;
        }
        if (p[1] != '\0')
            return apply(cli, option, ctx, p + 1);
        if (words->at == words->end)
            return usage_error(cli, "a value is expected by", name, 2);
        return apply(cli, option, ctx, *words->at++);
    }
    return code;
}

void
cli_blame(const struct cli *cli, const char *p, struct weir_errbuf *err)
{
    static const char set[] = "--set";
    const struct config_setting *setting = config_find(&cli->config, p);
    struct weir_errbuf said = *err;
    const char *why = said.text;

    if (setting == NULL)
        return;
    if (strncmp(why, set, sizeof(set) - 1) == 0) {
        why += sizeof(set) - 1;
        why += strspn(why, ": ");
    }
    weir_err_set(err, WEIR_E_INVAL, "%s:%u: %s", setting->file, setting->line, why);
}

/* Returns -1 to go on, or the exit code. */
static int
apply_setting(struct cli *cli, const char *text, bool of_file)
{
    struct weir_errbuf err = { "" };
    bool known, ignored = false;
    int rc = cli_set(cli, text, &known, &err);

    if (!known && cli->set != NULL)
        rc = cli->set(cli->ctx, text, &ignored, &err);
    else if (!known && of_file && cli_is_suricatas(text))
        ignored = true;
    else if (!known)
        rc = cli_set_unknown(text, &err);
    if (rc != WEIR_E_OK) {
        cli_blame(cli, text, &err);
        cli_error(cli, "%s", err.text);
        return EXIT_USAGE;
    }
    cli->ignored += ignored && of_file;
    if (ignored && (!of_file || cli->verbose > 0))
        cli_notice(cli, "%s%s: means nothing to %s, and is ignored", of_file ? "" : "--set ", text,
                   cli->program);
    return -1;
}

/* What the file says, then --set. Returns -1 to go on, or the exit code. */
static int
apply_settings(struct cli *cli)
{
    int code = -1;

    for (size_t i = 0; i < cli->config.n && code < 0; i++)
        code = apply_setting(cli, cli->config.at[i].text, true);
    if (code < 0 && cli->ignored > 0 && cli->verbose == 0)
        cli_notice(cli, "%s: %zu settings mean nothing to %s, and are ignored (-v lists them)",
                   cli->config_file, cli->ignored, cli->program);
    for (size_t i = 0; i < cli->n_sets && code < 0; i++)
        code = apply_setting(cli, cli->sets[i], false);
    return code;
}

/* ---- the command line, as a whole ----------------------------------------------------------- */

/* CPUs that this process may run on. */
static uint32_t
cpus_allowed(void)
{
    cpu_set_t set;
    int n = 1;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        n = CPU_COUNT(&set);
    return (uint32_t)(n < 1 ? 1 : n > MAX_CORES ? MAX_CORES : n);
}

/*
 * A file that took the place of a closed standard error would get the notices. Input and output
 * fail as before: their stand-ins are open the wrong way round.
 */
static int
hold_standard_fds(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY) != fd)
            return EXIT_FAILED;
    return -1;
}

/* If nobody asks for the opposite. */
static void
choose_checksums(struct cli *cli)
{
    if (cli->checksums_given || cli->monitor.no_checksums || !cli_lacks_checksums(cli))
        return;
    cli->monitor.no_checksums = true;
    cli_notice(cli, "%s: packets carry no checksums there, so none are verified (-k all does)",
               cli->interface);
}

int
cli_parse(struct cli *cli, int argc, char **argv)
{
    struct words words = { argv + 1, argv + argc };
    bool only_words = false, filter_words = false;
    int code = hold_standard_fds();

    cli_listen_early();
    cli->log_dir = ".";
    cli->monitor.seed = hash_draw_monitor_seed();
    while (words.at < words.end && code < 0) {
        const char *word = *words.at++;

        if (only_words || word[0] != '-' || word[1] == '\0') {
            if (cli->filter != NULL && !filter_words)
                return usage_error(cli, "-F gave a filter; unexpected", word, strlen(word));
            filter_words = true;
            cli_append_filter(cli, word, strlen(word));
        } else if (strcmp(word, "--") == 0) {
            only_words = true;
        } else if (word[1] == '-') {
            code = parse_long(cli, word, &words);
        } else {
            code = parse_short(cli, word, &words);
        }
    }
    cli->monitor.live = cli->interface != NULL;
    cli->queues = cli->monitor.cores > 0 ? cli->monitor.cores : 1;
    if (cli->monitor.cores == 0) /* DPDK's threads do not share CPUs with others unless asked to */
        cli->monitor.cores = cli->monitor.live && cli->dpdk == NULL ? cpus_allowed() : 1;
    cli_inline_prepare(cli);
    if (code < 0)
        code = cli_check(cli, filter_words);
    if (code < 0)
        code = apply_settings(cli);
    if (code < 0)
        code = cli_find_identity(cli);
    if (code < 0) {
        choose_checksums(cli);
        cli_tell_unused(cli);
    }
    if (code < 0 && cli->dump_config) {
        cli_dump_all(cli);
        code = printed(cli);
    }
    return code;
}

void
cli_free(struct cli *cli)
{
    free(cli->inputs);
    free(cli->interfaces);
    for (unsigned i = 0; i < cli->n_pairs; i++)
        free(cli->pairs[i]);
    cli->n_pairs = 0;
    cli_inline_free(cli);
    cli->interfaces = NULL;
    free(cli->filter);
    free(cli->hosts);
    free(cli->sets);
    config_free(&cli->config);
    cli->sets = NULL;
    cli->hosts = NULL;
    cli->inputs = NULL;
    cli->filter = NULL;
}
