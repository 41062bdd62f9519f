/* Writes a capture file: pcap, little-endian, microseconds, the same bytes on every machine. */
#ifndef WEIR_PCAPS_CAPWRITE_H
#define WEIR_PCAPS_CAPWRITE_H

#include <weir/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct capwrite {
    FILE *stream;
    const char *name; /* lives as long */
};

/* WEIR_E_IO with a text. A file that cannot be written whole is removed by capwrite_close(). */
int capwrite_open(struct capwrite *cap, const char *name, uint32_t link, struct weir_errbuf *err);

/* A packet of which the first caplen bytes are kept. Errors are met by capwrite_close(). */
void capwrite_packet(struct capwrite *cap, uint64_t micros, const uint8_t *data, size_t caplen,
                     size_t wirelen);

/* Keep the file, or remove it where keep is false or writing failed. */
int capwrite_close(struct capwrite *cap, bool keep, struct weir_errbuf *err);

#endif
