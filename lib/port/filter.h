/* BPF filters for frames that libpcap's own reader does not see. */
#ifndef WEIR_PORT_FILTER_H
#define WEIR_PORT_FILTER_H

#include <weir/error.h>
#include <weir/port.h>

#include <pcap/pcap.h>

/* A filter for one link type. Zeroed: lets every packet pass. */
struct filter {
    struct bpf_program program;
};

/*
 * Compile expression, which may be NULL or empty, for frames of a LINKTYPE_ value. WEIR_E_SYNTAX
 * carries libpcap's text.
 */
int filter_compile(struct filter *filter, const char *expression, uint16_t link,
                   struct weir_errbuf *err);

void filter_free(struct filter *filter);

static inline bool
filter_pass(const struct filter *filter, const struct weir_frame *frame)
{
    return filter->program.bf_insns == NULL ||
           bpf_filter(filter->program.bf_insns, frame->data, frame->wirelen, frame->caplen) != 0;
}

/* LINKTYPE_ is what files say, DLT_ what libpcap's calls say; they differ for raw IP only. */
uint16_t link_of_dlt(int dlt);
int dlt_of_link(uint16_t link);

#endif
