/* weir-prads: hosts, their systems and their services, from packets. */
#include "compat.h"

#include <stdio.h>
#include <string.h>

static bool
is_compat(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');

    if (strcmp(slash != NULL ? slash + 1 : argv[0], "prads") == 0)
        return true;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--compat") == 0)
            return true;
    return false;
}

static bool
has(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

int
main(int argc, char **argv)
{
    if (argc > 0 && is_compat(argc, argv))
        return compat_main(argc, argv);
    if (has(argc, argv, "--help") || has(argc, argv, "-h")) {
        compat_usage();
        return 0;
    }
    if (has(argc, argv, "--version") || has(argc, argv, "-V")) {
        printf("weir-prads %s\n", PACKAGE_VERSION);
        return 0;
    }
    fputs("weir-prads: --compat is expected (try weir-prads --help)\n", stderr);
    return 2;
}
