#include "compat_options.h"

#include "cli.h"
#include "sigfile.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONFIG "/etc/prads/prads.conf"

enum {
    DEFAULT_MAX = 4 << 20, /* assets, connections */
    DEFAULT_MEMCAP = 512 << 20,
    DEFAULT_CHECKS = CHECK_SYN | CHECK_SYNACK | CHECK_RST | CHECK_FIN | CHECK_SERVICE_TCP |
                     CHECK_CLIENT_TCP | CHECK_SERVICE_UDP | CHECK_MAC,
};

static void
set_text(struct compat_options *opts, enum text which, const char *value)
{
    char *copy = strdup(value);

    if (copy == NULL)
        return;
    free(opts->text[which]);
    opts->text[which] = copy;
}

/* ---- configuration --------------------------------------------------------------------------- */

static const struct {
    const char *key;
    unsigned check;
} flag_keys[] = {
    { "mac", CHECK_MAC },
    { "arp", CHECK_ARP },
    { "service_tcp", CHECK_SERVICE_TCP },
    { "client_tcp", CHECK_CLIENT_TCP },
    { "service_udp", CHECK_SERVICE_UDP },
    { "os_icmp", CHECK_ICMP_OS | CHECK_ICMP },
    { "os_udp", CHECK_UDP_OS },
    { "os_syn_fingerprint", CHECK_SYN },
    { "os_synack_fingerprint", CHECK_SYNACK },
    { "os_ack_fingerprint", CHECK_ACK },
    { "os_rst_fingerprint", CHECK_RST },
    { "os_fin_fingerprint", CHECK_FIN },
};

static const struct {
    const char *key;
    enum text text;
} text_keys[] = {
    { "chroot_dir", TEXT_CHROOT },
    { "pid_file", TEXT_PID_FILE },
    { "asset_log", TEXT_LOG },
    { "fifo", TEXT_FIFO },
    { "sig_file_serv_tcp", TEXT_SERVICE_TCP },
    { "sig_file_cli_tcp", TEXT_CLIENT_TCP },
    { "sig_file_serv_udp", TEXT_SERVICE_UDP },
    { "mac_file", TEXT_MAC },
    { "user", TEXT_USER },
    { "group", TEXT_GROUP },
    { "interface", TEXT_INTERFACE },
    { "bpfilter", TEXT_FILTER },
    { "bpf_file", TEXT_FILTER_FILE },
    { "home_nets", TEXT_NETS },
};

enum {
    N_FLAG_KEYS = sizeof(flag_keys) / sizeof(flag_keys[0]),
    N_TEXT_KEYS = sizeof(text_keys) / sizeof(text_keys[0]),
};

static bool
set_flag(struct compat_options *opts, const char *key, const char *value)
{
    for (unsigned i = 0; i < N_FLAG_KEYS; i++) {
        if (strcmp(flag_keys[i].key, key) != 0)
            continue;
        if (*value == '1')
            opts->checks |= flag_keys[i].check;
        else
            opts->checks &= ~flag_keys[i].check;
        return true;
    }
    return false;
}

/* An unknown key means nothing; neither does one with a blank in it. */
static void
set_key(struct compat_options *opts, const char *key, const char *value)
{
    if (set_flag(opts, key, value))
        return;
    if (strcmp(key, "daemon") == 0)
        opts->daemon = *value == '1';
    else if (strcmp(key, "ringbuffer") == 0)
        opts->ring = *value == '1';
    for (unsigned i = 0; i < N_TEXT_KEYS; i++)
        if (strcmp(text_keys[i].key, key) == 0)
            set_text(opts, text_keys[i].text, value);
}

static char *
trimmed(char *value)
{
    size_t n;

    value += strspn(value, " \t\r");
    n = strlen(value);
    while (n > 0 && strchr(" \t\r", value[n - 1]) != NULL)
        n--;
    value[n] = '\0';
    return value;
}

static bool
cut_key(char *line, char **key, char **value)
{
    char *equals;

    line[strcspn(line, "#")] = '\0';
    equals = strchr(line, '=');
    if (equals == NULL)
        return false;
    *equals = '\0';
    *key = line;
    *value = trimmed(equals + 1);
    for (char *p = line; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);
    return true;
}

void
compat_config_parse(struct compat_options *opts, char *text)
{
    char *line, *key, *value;

    while ((line = sigfile_next(&text)) != NULL)
        if (cut_key(line, &key, &value))
            set_key(opts, key, value);
}

static void
read_config(struct compat_options *opts)
{
    const char *path = opts->text[TEXT_CONFIG] != NULL ? opts->text[TEXT_CONFIG] : DEFAULT_CONFIG;
    struct weir_errbuf err;
    char *text;

    if (sigfile_read(path, &text, &err) != WEIR_E_OK) {
        fprintf(stderr, "Unable to open configuration file - %s\n", path);
        return;
    }
    compat_config_parse(opts, text);
    free(text);
}

void
compat_config_again(struct compat_options *opts)
{
    struct compat_options fresh = *opts;

    memset(fresh.text, 0, sizeof(fresh.text));
    fresh.text[TEXT_CONFIG] = opts->text[TEXT_CONFIG];
    read_config(&fresh);
    opts->checks = fresh.checks;
    fresh.text[TEXT_CONFIG] = NULL;
    compat_options_free(&fresh);
}

/* ---- command line ---------------------------------------------------------------------------- */

enum {
    LONG_COMPAT = 256,
    LONG_SIG_DIR,
    LONG_MAX_ASSETS,
    LONG_MAX_CONNECTIONS,
    LONG_MEMCAP,
    LONG_VERSION,
    LONG_HELP,
};

static const struct option long_options[] = {
    { "compat", no_argument, NULL, LONG_COMPAT },
    { "sig-dir", required_argument, NULL, LONG_SIG_DIR },
    { "max-assets", required_argument, NULL, LONG_MAX_ASSETS },
    { "max-connections", required_argument, NULL, LONG_MAX_CONNECTIONS },
    { "memcap", required_argument, NULL, LONG_MEMCAP },
    { "version", no_argument, NULL, LONG_VERSION },
    { "help", no_argument, NULL, LONG_HELP },
    { NULL, 0, NULL, 0 },
};

/* -d takes no argument, as it was documented. */
static const char short_options[] = "C:c:b:dDg:hi:p:r:u:va:l:L:f:qtxs:OXFRMSAKUTIZtHPB";

void
compat_usage(void)
{
    fputs("Usage: weir-prads --compat [options]\n"
          "Report hosts, their systems and their services from packets, as PRADS does.\n\n"
          "  -i IFACE              capture on an interface\n"
          "  -r FILE               read a capture\n"
          "  -c FILE               configuration (default: " DEFAULT_CONFIG ")\n"
          "  -b FILTER             packet filter (BPF)\n"
          "  -u USER               live: run as this user (default: 1)\n"
          "  -g GROUP              live: run as this group (default: 1)\n"
          "  -d                    live: keep privileges\n"
          "  -a NETS               home networks: 192.168.0.0/25,10.0.0.0/255.0.0.0,fe80::/64\n"
          "  -D                    live: run in the background\n"
          "  -p FILE               live: write the process id to a file\n"
          "  -l FILE               asset log (default: /var/log/prads-asset.log)\n"
          "  -f FIFO               assets for sguil\n"
          "  -C DIR                live: change root to DIR\n"
          "  -X                    clear all checks; then choose:\n"
          "    -S, -K, -F, -R, -A  systems by SYN, SYN+ACK, FIN, RST, ACK\n"
          "    -T, -t, -U          services of TCP, clients of TCP, services of UDP\n"
          "    -M                  network cards (MAC and ARP)\n"
          "    -I                  ICMP\n"
          "  -P, -H                DHCP fingerprints\n"
          "  -s N                  print N bytes of each payload\n"
          "  -v                    print assets\n"
          "  -q                    no banner, no statistics\n"
          "  -L DIR                live: log connections to files in DIR/\n"
          "  -x                    print connections: new, expired, ended\n"
          "  -O                    likewise, and each packet's\n"
          "  -Z                    print DNS answers\n"
          "  -B                    refused: there is no ring buffer\n"
          "  -h, --help            print this\n"
          "\n"
          "  --compat              be PRADS; needless under the name prads\n"
          "  --sig-dir DIR         where signature files are (default: /etc/prads)\n"
          "  --max-assets N        hosts that are remembered (default: 4194304)\n"
          "  --max-connections N   likewise\n"
          "  --memcap SIZE         memory of the flow table (default: 512MiB)\n"
          "  --version             print the version\n"
          "\nThe manual: weir-prads(1).\n",
          stdout);
}

static unsigned
check_of(int letter)
{
    switch (letter) {
    case 'F':
        return CHECK_FIN;
    case 'R':
        return CHECK_RST;
    case 'S':
        return CHECK_SYN;
    case 'A':
        return CHECK_ACK;
    case 'K':
        return CHECK_SYNACK;
    case 'M':
        return CHECK_MAC | CHECK_ARP;
    case 'U':
        return CHECK_SERVICE_UDP;
    case 'T':
        return CHECK_SERVICE_TCP;
    case 't':
        return CHECK_CLIENT_TCP;
    case 'I':
        return CHECK_ICMP;
    case 'P':
    case 'H':
        return CHECK_DHCP;
    default:
        return 0;
    }
}

static int
text_of(int letter)
{
    static const char letters[] = "irbugaplfCL";
    static const enum text texts[] = { TEXT_INTERFACE, TEXT_FILE,   TEXT_FILTER,   TEXT_USER,
                                       TEXT_GROUP,     TEXT_NETS,   TEXT_PID_FILE, TEXT_LOG,
                                       TEXT_FIFO,      TEXT_CHROOT, TEXT_CONN_DIR };
    const char *at = letter < 256 ? strchr(letters, letter) : NULL;

    return at != NULL ? (int)texts[at - letters] : -1;
}

static bool
take_number(const char *value, uint32_t *number)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    if (end == value || *end != '\0' || *value == '-' || n < 1 || n > UINT32_MAX / 8)
        return false;
    *number = (uint32_t)n;
    return true;
}

/* Returns false if the value is none. */
static bool
take_long(struct compat_options *opts, int option, const char *value)
{
    switch (option) {
    case LONG_SIG_DIR:
        set_text(opts, TEXT_SIG_DIR, value);
        return true;
    case LONG_MAX_ASSETS:
        return take_number(value, &opts->max_assets);
    case LONG_MAX_CONNECTIONS:
        return take_number(value, &opts->max_connections);
    case LONG_MEMCAP:
        return cli_parse_size(value, &opts->memcap) && opts->memcap >= 256 << 20;
    case LONG_VERSION:
        opts->version = true;
        return true;
    case LONG_HELP:
        opts->help = true;
        return true;
    default:
        return true;
    }
}

static void
take_short(struct compat_options *opts, int letter, const char *value)
{
    int text = text_of(letter);

    opts->checks |= check_of(letter);
    if (text >= 0) {
        set_text(opts, (enum text)text, value);
        return;
    }
    switch (letter) {
    case 'X':
        opts->checks = 0;
        break;
    case 'B':
        opts->ring = true;
        break;
    case 'D':
        opts->daemon = true;
        break;
    case 'd':
        opts->keep_privileges = true;
        break;
    case 'h':
        opts->help = true;
        break;
    case 'v':
        opts->verbose++;
        break;
    case 'q':
        opts->quiet = true;
        break;
    case 's':
        opts->payload = (unsigned)strtoul(value, NULL, 10);
        break;
    case 'x':
        opts->connections = true;
        break;
    case 'O':
        opts->packets = opts->connections = true;
        break;
    case 'Z':
        opts->dns = true;
        break;
    default:
        break;
    }
}

/* -c is looked for first: what else is on the line has the last word over the file. */
static void
find_config(struct compat_options *opts, int argc, char **argv)
{
    int option;

    opterr = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
        if (option == 'c')
            set_text(opts, TEXT_CONFIG, optarg);
}

int
compat_options_parse(struct compat_options *opts, int argc, char **argv)
{
    int option;

    *opts = (struct compat_options){ .checks = DEFAULT_CHECKS,
                                     .max_assets = DEFAULT_MAX,
                                     .max_connections = DEFAULT_MAX,
                                     .memcap = DEFAULT_MEMCAP };
    find_config(opts, argc, argv);
    read_config(opts);
    optind = 0;
    while ((option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        if (option == '?' || option == ':') {
            fprintf(stderr, "unrecognized argument: '%c'\n",
                    optopt > 0 && optopt < 256 ? optopt : '-');
            return 1;
        }
        if (option < 256) {
            take_short(opts, option, optarg);
        } else if (!take_long(opts, option, optarg)) {
            fprintf(stderr, "weir-prads: '%s' is no value of this option\n", optarg);
            return 1;
        }
    }
    return -1;
}

void
compat_options_free(struct compat_options *opts)
{
    for (int i = 0; i < TEXT_COUNT; i++)
        free(opts->text[i]);
}
