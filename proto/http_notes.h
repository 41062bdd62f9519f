/* The texts of libhtp's log as names of events, which are Suricata's. */
#ifndef WEIR_HTTP_NOTES_H
#define WEIR_HTTP_NOTES_H

/* The name of what a line of the log says, "http.compression_bomb" say; NULL: it has none. */
const char *http_note_of(const char *text);

#endif
