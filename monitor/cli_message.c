#include "cli_parts.h"

#include <stdarg.h>
#include <stdio.h>

bool cli_progress_shown;

void
cli_clear_progress(void)
{
    if (cli_progress_shown)
        fputs("\r\033[K", stderr);
    cli_progress_shown = false;
}

static void
say(const struct cli *cli, const char *format, va_list args)
{
    cli_flush_outputs(cli);
    cli_clear_progress();
    fprintf(stderr, "%s: ", cli->program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void
cli_error(const struct cli *cli, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(cli, format, args);
    va_end(args);
}

void
cli_notice(const struct cli *cli, const char *format, ...)
{
    va_list args;

    if (cli->quiet)
        return;
    va_start(args, format);
    say(cli, format, args);
    va_end(args);
}
