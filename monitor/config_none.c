/* Built without libyaml. */
#include "config_parts.h"

int
config_parse(struct config *config, const char *file, const char *text, size_t n,
             struct weir_errbuf *err)
{
    (void)config, (void)text, (void)n;
    return weir_err_set(err, WEIR_E_UNSUPPORTED, "%s: built without libyaml, no file can be read",
                        file);
}
