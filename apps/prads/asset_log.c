#include "asset_log.h"

#include "conn_log.h"
#include "fingerprint.h"
#include "rd.h"

#include <ctype.h>

enum { STAMPS_AN_HOUR = 360000 }; /* at 100 Hz, as it was assumed then */

/* enum detection */
static const char *const names[] = { "SYN",  "SYNACK", "FIN",    "RST", "ACK", "UDP",
                                     "ICMP", "SERVER", "CLIENT", "ARP", "NDP", "DHCP" };

static bool
is_tcp_os(enum detection what)
{
    return what <= DETECT_ACK;
}

static void
put_mac(struct out *out, const uint8_t mac[6])
{
    static const char digits[] = "0123456789ABCDEF";

    for (int i = 0; i < 6; i++) {
        if (i > 0)
            out_char(out, ':');
        out_char(out, digits[mac[i] >> 4]);
        out_char(out, digits[mac[i] & 15]);
    }
}

static void
put_link(struct out *out, uint16_t mss)
{
    uint16_t mtu = (uint16_t)(mss + 40); /* as in the original, where it wraps round */
    const char *name = fp_link(mtu);

    if (name != NULL) {
        out_str(out, name);
        return;
    }
    out_str(out, "unknown-");
    out_u64(out, mtu);
}

static void
put_addr(struct out *out, const struct news *news)
{
    conn_log_addr(out, (uint8_t)news->asset->version, &news->asset->addr);
}

/* ---- the asset log -------------------------------------------------------------------------- */

void
asset_log_header(struct out *out)
{
    out_str(out, "asset,vlan,port,proto,service,[service-info],distance,discovered\n");
    out_end_record(out);
}

static void
put_os(struct out *out, const struct news *news)
{
    out_str(out, news->fingerprint);
    out_char(out, ':');
    out_str(out, news->os);
    out_char(out, ':');
    out_str(out, news->detail);
    if (news->mss != 0) {
        out_str(out, ":link:");
        put_link(out, news->mss);
    }
    if (news->uptime != 0) {
        out_str(out, ":uptime:");
        out_u64(out, news->uptime / STAMPS_AN_HOUR);
        out_str(out, "hrs");
    }
}

static void
put_info(struct out *out, const struct news *news)
{
    if (news->what == DETECT_ARP || news->what == DETECT_NDP) {
        put_mac(out, news->asset->mac);
        if (news->asset->vendor != NULL) {
            out_str(out, ",(");
            out_str(out, news->asset->vendor);
            out_char(out, ')');
        }
    } else if (news->what == DETECT_SERVER || news->what == DETECT_CLIENT) {
        out_str(out, news->service);
        out_char(out, ':');
        out_str(out, news->application);
    } else {
        put_os(out, news);
    }
}

void
asset_log_file(struct out *out, const struct news *news)
{
    put_addr(out, news);
    out_char(out, ',');
    out_u64(out, news->asset->vlan);
    out_char(out, ',');
    out_u64(out, news->port);
    out_char(out, ',');
    out_u64(out, news->proto);
    out_char(out, ',');
    out_str(out, names[news->what]);
    out_str(out, ",[");
    put_info(out, news);
    out_str(out, "],");
    out_u64(out, news->distance);
    out_char(out, ',');
    out_u64(out, news->time);
    out_char(out, '\n');
    out_end_record(out);
}

/* ---- standard output ------------------------------------------------------------------------ */

static void
put_verbose_os(struct out *out, const struct news *news)
{
    out_str(out, ",[");
    for (const char *p = names[news->what]; *p != '\0'; p++)
        out_char(out, (char)tolower((unsigned char)*p));
    out_char(out, ':');
    out_str(out, news->shown);
    out_char(out, ']');
    if (!is_tcp_os(news->what))
        return;
    out_str(out, ",[");
    out_str(out, news->os);
    out_char(out, ':');
    out_str(out, news->detail);
    out_char(out, ']');
    if (news->mss != 0) {
        out_str(out, ",[link:");
        put_link(out, news->mss);
        out_char(out, ']');
    }
    if (news->uptime != 0) {
        out_str(out, ",[uptime:");
        out_u64(out, news->uptime / STAMPS_AN_HOUR);
        out_str(out, "hrs]");
    }
}

static void
put_verbose_service(struct out *out, const struct news *news)
{
    out_str(out, news->what == DETECT_SERVER ? ",[service:" : ",[client:");
    out_str(out, news->application);
    out_char(out, ':');
    out_u64(out, news->port);
    out_char(out, ':');
    out_u64(out, news->proto);
    out_char(out, ']');
}

void
asset_log_stdout(struct out *out, const struct news *news)
{
    put_addr(out, news);
    if (news->asset->vlan != 0) {
        out_str(out, ",[vlan:");
        out_u64(out, news->asset->vlan);
        out_char(out, ']');
    }
    if (news->what == DETECT_ARP) {
        out_str(out, ",[arp:");
        put_mac(out, news->asset->mac);
        out_char(out, ']');
        if (news->asset->vendor != NULL) {
            out_char(out, ',');
            out_str(out, news->asset->vendor);
        }
    } else {
        if (news->what == DETECT_SERVER || news->what == DETECT_CLIENT)
            put_verbose_service(out, news);
        else
            put_verbose_os(out, news);
        out_str(out, ",[distance:");
        out_u64(out, news->distance);
        out_char(out, ']');
    }
    out_char(out, '\n');
    out_end_record(out);
}

/* ---- FIFO: a field a line, as sguil reads them ----------------------------------------------- */

static void
put_line_u64(struct out *out, uint64_t value)
{
    out_u64(out, value);
    out_char(out, '\n');
}

/* IPv6: its first four bytes, as the original has it. */
static void
put_line_number(struct out *out, const struct weir_addr *addr)
{
    put_line_u64(out, be32(addr->b));
}

static void
put_line_addr(struct out *out, uint8_t version, const struct weir_addr *addr)
{
    conn_log_addr(out, version, addr);
    out_char(out, '\n');
}

static void
put_line(struct out *out, const char *text)
{
    out_str(out, text);
    out_char(out, '\n');
}

static void
put_fifo_service(struct out *out, const struct news *news)
{
    const struct conn *conn = news->conn;

    put_line_number(out, conn_addr(conn, CONN_CLIENT));
    put_line_addr(out, conn->key.version, conn_addr(conn, CONN_SERVER));
    put_line_number(out, conn_addr(conn, CONN_SERVER));
    put_line_u64(out, conn_port(conn, CONN_CLIENT));
    put_line_u64(out, conn_port(conn, CONN_SERVER));
    put_line_u64(out, news->proto);
    put_line(out, news->service);
    put_line(out, news->application);
    put_line_u64(out, news->time);
    put_line(out,
             news->what == DETECT_SERVER ? "505241445320534552564552" : "505241445320434C49454E54");
}

static void
put_fifo_arp(struct out *out, const struct news *news)
{
    put_line_number(out, &news->asset->addr);
    put_line(out, news->asset->vendor != NULL ? news->asset->vendor : "unknown");
    put_mac(out, news->asset->mac);
    out_char(out, '\n');
    put_line_u64(out, news->time);
}

/* The port's bytes are swapped, as the original has it. */
static void
put_fifo_os(struct out *out, const struct news *news)
{
    put_line_number(out, &news->asset->addr);
    put_line_u64(out, (uint16_t)(news->port << 8 | news->port >> 8));
    put_line_u64(out, WEIR_PROTO_TCP);
    put_line_u64(out, news->time);
}

void
asset_log_fifo(struct out *out, const struct news *news)
{
    bool service = news->what == DETECT_SERVER || news->what == DETECT_CLIENT;

    put_line(out, service ? "01" : news->what == DETECT_ARP ? "02" : "03");
    put_addr(out, news);
    out_char(out, '\n');
    if (service)
        put_fifo_service(out, news);
    else if (news->what == DETECT_ARP)
        put_fifo_arp(out, news);
    else
        put_fifo_os(out, news);
    put_line(out, ".");
    out_end_record(out);
}
