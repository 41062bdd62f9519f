/* Configuration files: whatever is in them, settings obey their bounds, and errors have a place. */
#include "config_file.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_setting(const struct config *config, size_t i, size_t lines)
{
    const struct config_setting *setting = &config->at[i];
    const char *equals = strchr(setting->text, '=');

    assert(equals != NULL && equals > setting->text && equals - setting->text <= CONFIG_NAME_MAX);
    assert(strcmp(setting->file, "fuzz") == 0);
    assert(setting->line >= 1 && setting->line <= lines + 1);
    assert(config_find(config, setting->text) == setting);
}

/* Line ends in any encoding that YAML has: not more of them than bytes. */
static int
load(struct config *config, const uint8_t *data, size_t size)
{
    struct weir_errbuf err = { "" };
    int rc;

    *config = (struct config){ .no_include = true };
    rc = config_load_text(config, "fuzz", (const char *)data, size, &err);
    assert(rc == WEIR_E_OK || rc == WEIR_E_SYNTAX || rc == WEIR_E_UNSUPPORTED);
    assert(rc != WEIR_E_SYNTAX || strncmp(err.text, "fuzz:", 5) == 0);
    assert(config->n <= CONFIG_SETTINGS_MAX);
    for (size_t i = 0; i < config->n; i++)
        check_setting(config, i, size);
    return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config once, again;
    int rc = load(&once, data, size);

    assert(load(&again, data, size) == rc && once.n == again.n);
    for (size_t i = 0; i < once.n; i++)
        assert(strcmp(once.at[i].text, again.at[i].text) == 0);
    config_free(&once);
    config_free(&again);
    (void)rc;
    return 0;
}
