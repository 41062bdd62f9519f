/* --dump-config: the settings in force, a "name = value" line each. */
#ifndef WEIR_CLI_DUMP_H
#define WEIR_CLI_DUMP_H

#include "cli.h"

/*
 * Print a setting, whatever it was set by. Those that the file or --set gave and that nobody prints
 * follow at the end, as they were given.
 */
void cli_dump_put(struct cli_dump *dump, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Print all, the program's own among them, on standard output. */
void cli_dump_all(struct cli *cli);

#endif
