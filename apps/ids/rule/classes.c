#include "rule/classes.h"

#include "rule/config_file.h"

#include <stdlib.h>
#include <string.h>

/* Names, texts and priorities as rule sets expect them (classification.config of both projects). */
static const struct class built_in[] = {
    { "not-suspicious", "Not Suspicious Traffic", 3 },
    { "unknown", "Unknown Traffic", 3 },
    { "bad-unknown", "Potentially Bad Traffic", 2 },
    { "attempted-recon", "Attempted Information Leak", 2 },
    { "successful-recon-limited", "Information Leak", 2 },
    { "successful-recon-largescale", "Large Scale Information Leak", 2 },
    { "attempted-dos", "Attempted Denial of Service", 2 },
    { "successful-dos", "Denial of Service", 2 },
    { "attempted-user", "Attempted User Privilege Gain", 1 },
    { "unsuccessful-user", "Unsuccessful User Privilege Gain", 1 },
    { "successful-user", "Successful User Privilege Gain", 1 },
    { "attempted-admin", "Attempted Administrator Privilege Gain", 1 },
    { "successful-admin", "Successful Administrator Privilege Gain", 1 },
    { "rpc-portmap-decode", "Decode of an RPC Query", 2 },
    { "shellcode-detect", "Executable code was detected", 1 },
    { "string-detect", "A suspicious string was detected", 3 },
    { "suspicious-filename-detect", "A suspicious filename was detected", 2 },
    { "suspicious-login", "An attempted login using a suspicious username was detected", 2 },
    { "system-call-detect", "A system call was detected", 2 },
    { "tcp-connection", "A TCP connection was detected", 4 },
    { "trojan-activity", "A Network Trojan was detected", 1 },
    { "unusual-client-port-connection", "A client was using an unusual port", 2 },
    { "network-scan", "Detection of a Network Scan", 3 },
    { "denial-of-service", "Detection of a Denial of Service Attack", 2 },
    { "non-standard-protocol", "Detection of a non-standard protocol or event", 2 },
    { "protocol-command-decode", "Generic Protocol Command Decode", 3 },
    { "web-application-activity", "access to a potentially vulnerable web application", 2 },
    { "web-application-attack", "Web Application Attack", 1 },
    { "misc-activity", "Misc activity", 3 },
    { "misc-attack", "Misc Attack", 2 },
    { "icmp-event", "Generic ICMP event", 3 },
    { "inappropriate-content", "Inappropriate Content was Detected", 1 },
    { "policy-violation", "Potential Corporate Privacy Violation", 1 },
    { "default-login-attempt", "Attempt to login by a default username and password", 2 },
    { "sdf", "Sensitive Data", 2 },
    { "file-format", "Known malicious file or file based exploit", 1 },
    { "malware-cnc", "Known malware command and control traffic", 1 },
    { "client-side-exploit", "Known client side exploit attempt", 1 },
    { "targeted-activity", "Targeted Malicious Activity was Detected", 1 },
    { "exploit-kit", "Exploit Kit Activity Detected", 1 },
    { "external-ip-check", "Device Retrieving External IP Address Detected", 2 },
    { "domain-c2", "Domain Observed Used for C2 Detected", 1 },
    { "pup-activity", "Possibly Unwanted Program Detected", 2 },
    { "credential-theft", "Successful Credential Theft Detected", 1 },
    { "social-engineering", "Possible Social Engineering Attempted", 2 },
    { "coin-mining", "Crypto Currency Mining Activity Detected", 2 },
    { "command-and-control", "Malware Command and Control Activity Detected", 1 },
};

struct classes {
    struct class *at; /* their texts are owned, too */
    size_t n;
};

void
classes_free(struct classes *classes)
{
    for (size_t i = 0; classes != NULL && i < classes->n; i++) {
        free((char *)classes->at[i].name);
        free((char *)classes->at[i].text);
    }
    if (classes != NULL)
        free(classes->at);
    free(classes);
}

/* name,text,priority; the last one of a name counts. */
static int
take(void *ctx, struct text value, struct weir_errbuf *err)
{
    struct classes *classes = ctx;
    struct text name, text, priority;
    struct class *more;
    int64_t n;

    if (!text_next(&value, ',', &name) || name.n == 0 || !text_next(&value, ',', &text) ||
        !text_next(&value, ',', &priority) || !text_int(priority, 1, 255, &n))
        return weir_err_set(err, WEIR_E_SYNTAX, "name,text,priority (1 to 255) expected");
    more = realloc(classes->at, (classes->n + 1) * sizeof(*more));
    if (more == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    classes->at = more;
    more += classes->n++;
    *more = (struct class){ strndup(name.p, name.n), strndup(text.p, text.n), (unsigned)n };
    if (more->name == NULL || more->text == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    return WEIR_E_OK;
}

int
classes_load(const char *path, struct classes **out, struct weir_errbuf *err)
{
    struct classes *classes = calloc(1, sizeof(*classes));
    int rc;

    *out = NULL;
    if (classes == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "out of memory");
    rc = config_file_read(path, "classification", take, classes, err);
    if (rc == WEIR_E_OK)
        *out = classes;
    else
        classes_free(classes);
    return rc;
}

const struct class *
class_by_name(const struct classes *classes, struct text name)
{
    const struct class *at = classes != NULL ? classes->at : built_in;
    size_t n = classes != NULL ? classes->n : sizeof(built_in) / sizeof(*built_in);

    while (n-- > 0)
        if (text_is_nocase(name, at[n].name))
            return &at[n];
    return NULL;
}
