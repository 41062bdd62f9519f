/*
 * Files mapped for reading, and what becomes of them when they shrink: touching a page behind the
 * new end raises SIGBUS. The program's handler calls weir_capfile_fault(), which finds the mapping
 * in a table here and puts zero pages over the rest.
 */
#ifndef WEIR_PORT_MAPPED_H
#define WEIR_PORT_MAPPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping;

struct mapped {
    const uint8_t *begin, *end;
    struct mapping *entry;    /* in the table; NULL: plain memory, which never shrinks */
    int fd;                   /* of entry; stays the caller's, open as long as the map */
    const uint8_t *mapped_in; /* pages before were asked for by mapped_ahead() */
};

/*
 * Map size > 0 bytes of fd. WEIR_E_UNSUPPORTED: the table is full, or the kernel does not map this
 * file; it may still be read.
 */
int mapped_open(struct mapped *map, int fd, size_t size);

/* Bytes of the caller, which outlive the map. */
void mapped_memory(struct mapped *map, const uint8_t *data, size_t size);

/* NULL: the file did not shrink, as far as a fault told. Else where the zero pages begin. */
const uint8_t *mapped_hole(const struct mapped *map);

/*
 * Ask the kernel for the file's size: where a file ends inside a page the rest of that page reads
 * as zeros without a fault. Answers as mapped_hole() does. A system call.
 */
const uint8_t *mapped_check_size(struct mapped *map);

/*
 * The walk has come to p: let the kernel map the next pages in one call, which costs a third of the
 * faults that it saves.
 */
void mapped_ahead(struct mapped *map, const uint8_t *p);

void mapped_close(struct mapped *map);

#endif
