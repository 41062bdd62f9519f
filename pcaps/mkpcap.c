/* weir-mkpcap: a capture from a readable script of packets; README.md has the form. */
#include "capwrite.h"
#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GOOD = 0, FAILED = 1, BAD_INPUT = 2 };

enum { SCRIPT_MAX = 64 << 20 };

struct text {
    char *p;
    size_t n;
};

struct program {
    const char *in, *out;
    struct text text;
    struct script script;
    struct script_frame frame;
};

static int
complain(int code, const char *text)
{
    fprintf(stderr, "weir-mkpcap: %s\n", text);
    return code;
}

static int
read_stream(FILE *stream, struct text *out)
{
    size_t room = 1 << 16, n;

    do {
        char *more = out->n < SCRIPT_MAX ? realloc(out->p, room) : NULL;

        if (more == NULL)
            return WEIR_E_NOMEM;
        out->p = more;
        n = fread(out->p + out->n, 1, room - out->n, stream);
        out->n += n;
        room *= 2;
    } while (n > 0);
    return ferror(stream) ? WEIR_E_IO : WEIR_E_OK;
}

static int
read_file(const char *name, struct text *out, struct weir_errbuf *err)
{
    FILE *stream = fopen(name, "rb");
    int rc;

    if (stream == NULL)
        return weir_err_set(err, WEIR_E_NOENT, "%s: %s", name, strerror(errno));
    errno = 0;
    rc = read_stream(stream, out);
    fclose(stream);
    if (rc == WEIR_E_NOMEM)
        return weir_err_set(err, rc, "%s: too large", name);
    return rc == WEIR_E_OK ? rc : weir_err_set(err, rc, "%s: %s", name, strerror(errno));
}

/* Everything from the first frame on; the link type is known with it. */
static int
write_capture(struct program *prg, struct weir_errbuf *err)
{
    struct capwrite cap;
    struct weir_errbuf why = { "" };
    int rc = script_next(&prg->script, &prg->frame, err), closed;

    if (rc < 0)
        return complain(BAD_INPUT, err->text);
    if (capwrite_open(&cap, prg->out, prg->script.link, err) != WEIR_E_OK)
        return complain(FAILED, err->text);
    for (; rc > 0; rc = script_next(&prg->script, &prg->frame, err))
        capwrite_packet(&cap, prg->frame.micros, prg->frame.frame.data, prg->frame.caplen,
                        prg->frame.frame.n);
    closed = capwrite_close(&cap, rc == 0, &why);
    if (rc < 0)
        return complain(BAD_INPUT, err->text);
    return closed == WEIR_E_OK ? GOOD : complain(FAILED, why.text);
}

static int
make_capture(struct program *prg)
{
    struct weir_errbuf err = { "" };
    int code;

    if (read_file(prg->in, &prg->text, &err) != WEIR_E_OK)
        return complain(BAD_INPUT, err.text);
    script_begin(&prg->script, prg->in, prg->text.p, prg->text.n);
    code = write_capture(prg, &err);
    script_end(&prg->script);
    return code;
}

static int
usage(FILE *stream)
{
    fputs("usage: weir-mkpcap IN.pkt OUT.pcap\n"
          "Make a capture file from a script of packets; pcaps/README.md has its form.\n"
          "Exit: 0 made; 1 OUT.pcap cannot be written; 2 the script or the usage is wrong.\n",
          stream);
    return stream == stdout ? GOOD : BAD_INPUT;
}

int
main(int argc, char **argv)
{
    struct program *prg;
    int code;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return usage(stdout);
    if (argc != 3 || argv[1][0] == '-')
        return usage(stderr);
    prg = calloc(1, sizeof(*prg));
    if (prg == NULL)
        return complain(FAILED, "out of memory");
    prg->in = argv[1];
    prg->out = argv[2];
    code = make_capture(prg);
    free(prg->text.p);
    free(prg);
    return code;
}
