#include "rule/references.h"

#include "rule/config_file.h"

#include <stdlib.h>
#include <string.h>

struct reference {
    const char *name, *prefix;
};

/* Names as rule sets use them; addresses as the sites answer today. */
static const struct reference built_in[] = {
    { "arachNIDS", "http://www.whitehats.com/info/IDS" },
    { "bid", "http://www.securityfocus.com/bid/" },
    { "bugtraq", "http://www.securityfocus.com/bid/" },
    { "cve", "https://cve.mitre.org/cgi-bin/cvename.cgi?name=" },
    { "et", "http://doc.emergingthreats.net/" },
    { "etpro", "http://doc.emergingthreatspro.com/" },
    { "exploitdb", "https://www.exploit-db.com/exploits/" },
    { "mcafee", "http://vil.nai.com/vil/content/v_" },
    { "md5", "https://www.virustotal.com/gui/search/" },
    { "msb", "https://technet.microsoft.com/library/security/" },
    { "nessus", "https://www.tenable.com/plugins/nessus/" },
    { "osvdb", "http://osvdb.org/show/osvdb/" },
    { "secunia", "http://www.secunia.com/advisories/" },
    { "sha256", "https://www.virustotal.com/gui/file/" },
    { "telus", "http://" },
    { "url", "http://" },
    { "xforce", "http://xforce.iss.net/xforce/xfdb/" },
};

struct references {
    struct reference *at; /* their texts are owned, too */
    size_t n;
};

void
references_free(struct references *references)
{
    for (size_t i = 0; references != NULL && i < references->n; i++) {
        free((char *)references->at[i].name);
        free((char *)references->at[i].prefix);
    }
    if (references != NULL)
        free(references->at);
    free(references);
}

/* name prefix; the last one of a name counts. */
static int
take(void *ctx, struct text value, struct weir_errbuf *err)
{
    struct references *references = ctx;
    struct reference *more;
    struct text name;

    if (!text_next(&value, ' ', &name) || name.n == 0 || value.p == NULL || text_trim(value).n == 0)
        return weir_err_set(err, WEIR_E_SYNTAX, "name and address expected");
    value = text_trim(value);
    more = realloc(references->at, (references->n + 1) * sizeof(*more));
    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    references->at = more;
    more += references->n++;
    *more = (struct reference){ strndup(name.p, name.n), strndup(value.p, value.n) };
    if (more->name == NULL || more->prefix == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    return WEIR_E_OK;
}

int
references_load(const char *path, struct references **out, struct weir_errbuf *err)
{
    struct references *references = calloc(1, sizeof(*references));
    int rc;

    *out = NULL;
    if (references == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    rc = config_file_read(path, "reference", take, references, err);
    if (rc == WEIR_E_OK)
        *out = references;
    else
        references_free(references);
    return rc;
}

const char *
reference_prefix(const struct references *references, struct text name)
{
    const struct reference *at = references != NULL ? references->at : built_in;
    size_t n = references != NULL ? references->n : sizeof(built_in) / sizeof(*built_in);

    while (n-- > 0)
        if (text_is_nocase(name, at[n].name))
            return at[n].prefix;
    return NULL;
}
