#include "future/cell.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void
report(const struct weir_core *core, const char *format, va_list args)
{
    char line[512];
    int n = 0;

    if (core != NULL)
        n = snprintf(line, sizeof(line), "core %" PRIu32 ": ", core->opts.id);
    vsnprintf(line + n, sizeof(line) - (size_t)n, format, args);
    if (core != NULL && core->opts.report != NULL)
        core->opts.report(core->opts.report_arg, line);
    else
        fprintf(stderr, "weir: %s\n", line);
}

void
report_line(const struct weir_core *core, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(core, format, args);
    va_end(args);
}

void
broken_rule(const struct weir_core *core, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(core, format, args);
    va_end(args);
    abort();
}

static const char *
name_of(const struct weir_cell *cell)
{
    static const char *const names[] = {
        [CELL_PASS] = "future",    [CELL_THEN] = "then",       [CELL_CATCH] = "catch",
        [CELL_ALWAYS] = "always",  [CELL_CO] = "coroutine",    [CELL_REPEAT] = "repeat",
        [CELL_LEG] = "part",       [CELL_TIMEOUT] = "timeout", [CELL_ALL] = "when_all",
        [CELL_ANY] = "when_any",   [CELL_PROMISE] = "promise", [CELL_TIMER] = "after",
        [CELL_UNITS] = "sem_take",
    };

    return cell->kind < sizeof(names) / sizeof(names[0]) && names[cell->kind] != NULL
               ? names[cell->kind]
               : "cell";
}

static bool
is_join(const struct weir_cell *cell)
{
    return cell->kind == CELL_ALL || cell->kind == CELL_ANY;
}

static const char *
state_of(const struct weir_cell *cell)
{
    if (cell->state == CELL_READY)
        return "resolved, but nobody asked for the outcome";
    if (cell->state == CELL_QUEUED)
        return "may run, but has not";
    if (cell->state == CELL_RUNNING)
        return "is running";
    if (cell->state == CELL_OVER)
        return "has come home";
    if ((cell->flags & CELL_DROPPED) != 0)
        return "cancelled, but its producer has not answered";
    return cell->kind >= CELL_PROMISE ? "nobody has resolved it" : "waits for its parts";
}

static void
report_tap(const struct weir_core *core, const struct weir_cell *sleeper)
{
    if (sleeper->state == CELL_SLEEP && sleeper->src != NULL)
        report_line(core, "a tap waits behind stage %u for %s at %s, %u events behind it",
                    sleeper->stage, name_of(sleeper->src), sleeper->src->site, sleeper->held);
    else
        report_line(core, "a tap may go on, %u events behind it", sleeper->held);
}

static void
report_cell(const struct weir_core *core, const struct weir_cell *cell)
{
    const struct weir_cell *src = cell->src;

    if (cell->kind == CELL_TAP)
        report_tap(core, cell);
    else if (cell->state == CELL_SLEEP && cell->kind < CELL_PROMISE && !is_join(cell) &&
             src != NULL)
        report_line(core, "%s at %s waits for %s at %s", name_of(cell), cell->site, name_of(src),
                    src->site);
    else
        report_line(core, "%s at %s: %s", name_of(cell), cell->site, state_of(cell));
}

uint64_t
weir_core_report(const struct weir_core *core)
{
    struct weir_cell *cell;
    uint64_t live = 0;

    for (uint64_t i = 0; core->stats.live != 0 && (cell = cells_at(core, i)) != NULL; i++) {
        if (cell->state == CELL_FREE)
            continue;
        report_cell(core, cell);
        live++;
    }
    return live;
}
