/* weir-ids: raises alerts from rules. */
#include "program.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* ---- options ------------------------------------------------------------------------------- */

static int
add_file(struct program *prg, const char *path, struct weir_errbuf *err)
{
    const char **more = realloc(prg->rule_files, (prg->n_rule_files + 1) * sizeof(*more));

    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    prg->rule_files = more;
    prg->rule_files[prg->n_rule_files++] = path;
    return WEIR_E_OK;
}

/* Only this file, and those of a later -s. */
static int
take_only(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct program *prg = ctx;

    if (prg->only)
        return weir_err_set(err, WEIR_E_INVAL, "-S: one file is expected (-s adds more)");
    prg->only = true;
    return add_file(prg, value, err);
}

static int
take_more(void *ctx, const char *value, struct weir_errbuf *err)
{
    return add_file(ctx, value, err);
}

static int
take_test(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct program *prg = ctx;

    (void)value, (void)err;
    prg->test = prg->cli.input_optional = true;
    return WEIR_E_OK;
}

static int
take_fatal(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct program *)ctx)->init_errors_fatal = true;
    return WEIR_E_OK;
}

static int
take_fail(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct program *)ctx)->fail_on_alert = true;
    return WEIR_E_OK;
}

static int
take_profile(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)value, (void)err;
    ((struct program *)ctx)->profile = true;
    return WEIR_E_OK;
}

static int
take_explain(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct program *prg = ctx;
    uint32_t *more = realloc(prg->explain, (prg->n_explain + 1) * sizeof(*more));
    int64_t sid;

    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    prg->explain = more;
    if (!text_int(text_of(value, value + strlen(value)), 1, UINT32_MAX, &sid))
        return weir_err_set(err, WEIR_E_INVAL, "--explain: a sid is expected, not '%s'", value);
    more[prg->n_explain++] = (uint32_t)sid;
    prg->cli.input_optional = true;
    return WEIR_E_OK;
}

static int
take_write(void *ctx, const char *value, struct weir_errbuf *err)
{
    (void)err;
    ((struct program *)ctx)->keep_file = value;
    return WEIR_E_OK;
}

static int
take_set(void *ctx, const char *value, bool *ignored, struct weir_errbuf *err)
{
    return settings_set(&((struct program *)ctx)->settings, value, ignored, err);
}

static void
dump_settings(void *ctx, struct cli_dump *dump)
{
    settings_dump(&((struct program *)ctx)->settings, dump);
}

static int
take_with(void *ctx, const char *value, struct weir_errbuf *err)
{
    struct program *prg = ctx;

    prg->with_prads = prg->prads != NULL && strcmp(value, "prads") == 0;
    prg->cli.beside_on = prg->with_prads;
    if (prg->with_prads)
        return WEIR_E_OK;
    return weir_err_set(err, WEIR_E_INVAL, "--with: %s is expected, not '%s'",
                        prg->prads != NULL ? "prads" : "nothing that was built", value);
}

static const struct cli_option options[] = {
    { 0, "with", "APP", "run another app beside, on the same flows: prads", take_with },
    { 'S', NULL, "FILE", "the rules", take_only },
    { 's', NULL, "FILE", "more rules; may be repeated", take_more },
    { 'w', NULL, "FILE", "write the packets of flows with an alert to a pcapng file", take_write },
    { 'T', NULL, NULL, "test the rules and stop", take_test },
    { 0, "explain", "SID", "print how the rule is tested, and stop; may be repeated",
      take_explain },
    { 0, "profile", NULL, "print at the end what each rule cost", take_profile },
    { 0, "init-errors-fatal", NULL, "stop if a rule is refused", take_fatal },
    { 0, "fail-on-alert", NULL, "exit code 3 if there was an alert", take_fail },
    { 0, NULL, NULL, NULL, NULL },
};

/* ---- the program --------------------------------------------------------------------------- */

static void
clean_up(struct program *prg)
{
    eve_out_free(prg->eve);
    prads_free(prg->prads);
    ruleset_free(prg->set);
    settings_free(&prg->settings);
    free(prg->rule_files);
    free(prg->explain);
    cli_free(&prg->cli);
}

int
main(int argc, char **argv)
{
    struct program prg = {
        .cli = { .program = "weir-ids",
                 .synopsis = "[options] -S RULES -r FILE|DIR|- | -i INTERFACE [filter words]",
                 .about = "Raise alerts from rules on the packets of a capture or an interface.",
                 .exits = "3 an alert, with --fail-on-alert, ",
                 .options = options },
        .settings = settings_default(),
    };
    int code = EXIT_FAILED;

    reload_listen();
    /* libhtp frees what it allocates, small and large in turn: each large block would make glibc
     * join all small ones that are free. An eighth of the time that HTTP takes. */
    mallopt(M_MXFAST, 0);
    prg.cli.ctx = &prg;
    prg.prads = prads_new();
    if (prg.prads != NULL) {
        prg.cli.beside_options = prads_options;
        prg.cli.beside_name = "prads";
        prg.cli.beside = prg.prads;
    }
    prg.cli.set = take_set;
    prg.cli.dump = dump_settings;
    if (prg.settings.vars == NULL)
        cli_error(&prg.cli, "out of memory");
    else
        code = cli_parse(&prg.cli, argc, argv);
    if (code < 0)
        code = program_load(&prg);
    if (code < 0)
        code = program_run(&prg);
    clean_up(&prg);
    return code;
}
