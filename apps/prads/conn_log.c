#include "conn_log.h"

#include "rd.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

void
conn_log_addr(struct out *out, uint8_t version, const struct weir_addr *addr)
{
    char text[INET6_ADDRSTRLEN];

    if (version != 4) {
        out_str(out, inet_ntop(AF_INET6, addr->b, text, sizeof(text)));
        return;
    }
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            out_char(out, '.');
        out_u64(out, addr->b[i]);
    }
}

static void
put_time(struct out *out, uint32_t seconds)
{
    time_t t = (time_t)seconds;
    char text[40];
    struct tm tm;

    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", gmtime_r(&t, &tm));
    out_str(out, text);
}

static void
put_end(struct out *out, const struct conn *conn, enum conn_side side, bool numbers)
{
    const struct weir_addr *addr = conn_addr(conn, side);

    if (numbers && conn->key.version == 4)
        out_u64(out, be32(addr->b));
    else
        conn_log_addr(out, conn->key.version, addr);
    out_char(out, '|');
    out_u64(out, conn_port(conn, side));
    out_char(out, '|');
}

void
conn_log_line(struct out *out, const struct conn *conn, const char *tag)
{
    out_u64(out, conn->start);
    out_u64_wide(out, conn->number, 9);
    out_char(out, '|');
    put_time(out, conn->start);
    out_char(out, '|');
    put_time(out, conn->last);
    out_char(out, '|');
    out_i64(out, (int64_t)conn->last - conn->start);
    out_char(out, '|');
    out_u64(out, conn->key.proto);
    out_char(out, '|');
    put_end(out, conn, CONN_CLIENT, tag == NULL);
    put_end(out, conn, CONN_SERVER, tag == NULL);
    for (int side = 0; side < 2; side++) {
        out_u64(out, conn->packets[side]);
        out_char(out, '|');
        out_u64(out, conn->bytes[side]);
        out_char(out, '|');
    }
    out_u64(out, conn->tcp_flags[CONN_CLIENT]);
    out_char(out, '|');
    out_u64(out, conn->tcp_flags[CONN_SERVER]);
    if (tag != NULL) {
        out_char(out, '|');
        out_str(out, tag);
    }
    out_char(out, '\n');
    out_end_record(out);
}

void
conn_log_packet(struct out *out, const struct conn *conn)
{
    char number[24];

    snprintf(number, sizeof(number), "conn[%4u] ", conn->number);
    out_str(out, number);
    conn_log_addr(out, conn->key.version, conn_addr(conn, CONN_CLIENT));
    out_char(out, ':');
    out_u64(out, conn_port(conn, CONN_CLIENT));
    out_str(out, " -> ");
    conn_log_addr(out, conn->key.version, conn_addr(conn, CONN_SERVER));
    out_char(out, ':');
    out_u64(out, conn_port(conn, CONN_SERVER));
    out_char(out, '\n');
    out_end_record(out);
}
