#include "rule/app_names.h"

#include "detect_proto.h"
#include "rule/rule.h"

#include <assert.h>
#include <stddef.h>

#define APP(name) (UINT32_C(1) << APP_##name)

static_assert(APP_PROTOS <= 32, "a bit for each");

enum { BOTH = RULE_TCP | RULE_UDP };

static const struct app_name names[] = {
    { "http", APP(HTTP) | APP(HTTP2), RULE_TCP },
    { "http1", APP(HTTP), RULE_TCP },
    { "http2", APP(HTTP2), RULE_TCP },
    { "tls", APP(TLS), RULE_TCP },
    { "ssl", APP(TLS), RULE_TCP },
    { "ssh", APP(SSH), RULE_TCP },
    { "dns", APP(DNS), BOTH },
    { "smtp", APP(SMTP), RULE_TCP },
    { "ftp", APP(FTP), RULE_TCP },
    { "pop3", APP(POP3), RULE_TCP },
    { "imap", APP(IMAP), RULE_TCP },
    { "smb", APP(SMB), RULE_TCP },
    { "rdp", APP(RDP), RULE_TCP },
    { "rfb", APP(RFB), RULE_TCP },
    { "rtsp", APP(RTSP), RULE_TCP },
    { "sip", APP(SIP), BOTH },
    { "dhcp", APP(DHCP), RULE_UDP },
    { "ntp", APP(NTP), RULE_UDP },
    { "quic", APP(QUIC), RULE_UDP },
    { "dcerpc", 0, 0 },
    { "nfs", 0, 0 },
    { "tftp", 0, 0 },
    { "krb5", 0, 0 },
    { "snmp", 0, 0 },
    { "ike", 0, 0 },
    { "ikev2", 0, 0 },
    { "modbus", 0, 0 },
    { "enip", 0, 0 },
    { "dnp3", 0, 0 },
    { "mqtt", 0, 0 },
    { "ftp-data", 0, 0 },
    { "file", 0, 0 },
    { "telnet", 0, 0 },
    { "bittorrent-dht", 0, 0 },
    { "pgsql", 0, 0 },
    { "ldap", 0, 0 },
    { "websocket", 0, 0 },
    { "doh2", 0, 0 },
    { "mdns", 0, 0 },
    { "jabber", 0, 0 },
    { "irc", 0, 0 },
    { "template", 0, 0 },
};

const struct app_name *
app_name_find(struct text name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (text_is(name, names[i].name))
            return &names[i];
    return NULL;
}

uint32_t
app_service(struct text name)
{
    const struct app_name *found = app_name_find(name);

    if (text_is(name, "netbios-ssn"))
        return APP(SMB);
    return found != NULL ? found->apps : 0;
}
