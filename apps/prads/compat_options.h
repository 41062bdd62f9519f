/* The command line and the configuration file of PRADS. */
#ifndef WEIR_PRADS_COMPAT_OPTIONS_H
#define WEIR_PRADS_COMPAT_OPTIONS_H

#include "homenet.h"

#include <weir/error.h>

#include <stdbool.h>
#include <stdint.h>

/* What is looked for: a bit each. */
enum check {
    CHECK_SYN = 1 << 0, /* the first five in the order of enum fp_kind */
    CHECK_SYNACK = 1 << 1,
    CHECK_FIN = 1 << 2,
    CHECK_RST = 1 << 3,
    CHECK_ACK = 1 << 4,
    CHECK_UDP_OS = 1 << 5,
    CHECK_ICMP_OS = 1 << 6,
    CHECK_ICMP = 1 << 7, /* only named in the banner */
    CHECK_DHCP = 1 << 8,
    CHECK_MAC = 1 << 9,
    CHECK_ARP = 1 << 10,
    CHECK_SERVICE_TCP = 1 << 11,
    CHECK_CLIENT_TCP = 1 << 12,
    CHECK_SERVICE_UDP = 1 << 13,
};

/* Texts that options and configuration set; NULL: not set. */
enum text {
    TEXT_INTERFACE,
    TEXT_FILE,
    TEXT_CONFIG,
    TEXT_FILTER,
    TEXT_FILTER_FILE,
    TEXT_USER,
    TEXT_GROUP,
    TEXT_NETS,
    TEXT_PID_FILE,
    TEXT_LOG,
    TEXT_FIFO,
    TEXT_CHROOT,
    TEXT_CONN_DIR,
    TEXT_SERVICE_TCP, /* signature files */
    TEXT_CLIENT_TCP,
    TEXT_SERVICE_UDP,
    TEXT_MAC,
    TEXT_SIG_DIR,
    TEXT_COUNT
};

struct compat_options {
    unsigned checks; /* enum check */
    char *text[TEXT_COUNT];
    unsigned verbose, payload; /* -s: bytes of each payload that are shown */
    bool quiet, daemon, keep_privileges, help, version;
    bool ring; /* -B: not supported */
    bool packets, connections, dns;
    uint32_t max_assets, max_connections;
    uint64_t memcap;
};

/* Returns -1 to go on, or the exit code. What is wrong is said on standard error. */
int compat_options_parse(struct compat_options *opts, int argc, char **argv);

/* Read configuration text, which is written to. */
void compat_config_parse(struct compat_options *opts, char *text);

/* Flags of the configuration only, for SIGHUP. */
void compat_config_again(struct compat_options *opts);

void compat_options_free(struct compat_options *opts);

void compat_usage(void);

#endif
