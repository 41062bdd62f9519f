/* weir-prads: hosts, their systems and their services, from packets. */
#include "compat.h"
#include "prads.h"

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

int
main(int argc, char **argv)
{
    return argc > 0 && is_compat(argc, argv) ? compat_main(argc, argv) : prads_main(argc, argv);
}
