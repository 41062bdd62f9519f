#include "port/filter.h"
#include "port/port.h"

enum { LINK_RAW = 101 }; /* LINKTYPE_RAW */

uint16_t
link_of_dlt(int dlt)
{
    return dlt == DLT_RAW ? LINK_RAW : (uint16_t)dlt;
}

int
dlt_of_link(uint16_t link)
{
    return link == LINK_RAW ? DLT_RAW : link;
}

int
filter_compile(struct filter *filter, const char *expression, uint16_t link,
               struct weir_errbuf *err)
{
    int rc = WEIR_E_OK;
    pcap_t *dead;

    *filter = (struct filter){ 0 };
    if (expression == NULL || *expression == '\0')
        return WEIR_E_OK;
    dead = pcap_open_dead(dlt_of_link(link), PORT_MAX_CAPLEN);
    if (dead == NULL)
        return weir_err_set(err, WEIR_E_NOMEM, "filter: out of memory");
    if (pcap_compile(dead, &filter->program, expression, 1, PCAP_NETMASK_UNKNOWN) != 0)
        rc = weir_err_set(err, WEIR_E_SYNTAX, "filter \"%s\": %s", expression, pcap_geterr(dead));
    pcap_close(dead);
    return rc;
}

void
filter_free(struct filter *filter)
{
    if (filter->program.bf_insns != NULL)
        pcap_freecode(&filter->program);
}
