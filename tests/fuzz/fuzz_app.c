/*
 * The application layer: of any streams, cut and with holes, what is told obeys its order, bodies
 * are shown again as they were, and at the end nothing is held (tests/support/app_run.c checks).
 *
 * Input: bytes a piece (0: 1), how many of the bytes are the client's (times 8), where in each
 * direction a hole is (times 4) and how long, flags (1: small limits, 2: FINs, 4: UDP, 8: a RST in
 * between); the bytes.
 */
#include "support/app_run.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIX = 5, SMALL = 1, FINS = 2, UDP = 4, RST = 8 };

struct side {
    const uint8_t *p;
    size_t n, at;
};

static void
send_some(struct app_run *run, enum weir_dir dir, struct side *side, const uint8_t *head)
{
    const size_t hole = head[2] * 4U, length = head[3];
    size_t n = side->n - side->at < head[0] + 1U ? side->n - side->at : head[0] + 1U;

    if (side->at < hole && side->at + n > hole)
        n = hole - side->at;
    if (head[4] & UDP) {
        app_run_datagram(run, dir, side->p + side->at, n);
        side->at += n;
    } else if (side->at == hole && length > 0 && side->n - side->at > length) {
        app_run_lose(run, dir, length);
        side->at += length;
    } else {
        app_run_send(run, dir, side->p + side->at, n, APP_RUN_BYTES);
        side->at += n;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct app_opts opts = app_defaults();
    struct side side[2];
    struct app_run run;
    size_t client;

    if (size < PREFIX || size > 2000)
        return 0;
    opts.memory = 1 << 30;
    if (data[4] & SMALL)
        opts.request_body = opts.response_body = 64;
    client = data[1] * 8U < size - PREFIX ? data[1] * 8U : size - PREFIX;
    side[0] = (struct side){ data + PREFIX, client, 0 };
    side[1] = (struct side){ data + PREFIX + client, size - PREFIX - client, 0 };
    app_run_begin(&run, &opts);
    for (unsigned turn = 0; side[0].at < side[0].n || side[1].at < side[1].n; turn++) {
        for (unsigned dir = 0; dir < 2; dir++)
            if (side[dir].at < side[dir].n)
                send_some(&run, (enum weir_dir)dir, &side[dir], data);
        if (turn == 1 && (data[4] & (RST | UDP)) == RST)
            app_run_rst(&run, WEIR_TOCLIENT);
    }
    if (data[4] & FINS && !(data[4] & UDP)) {
        app_run_fin(&run, WEIR_TOCLIENT);
        app_run_fin(&run, WEIR_TOSERVER);
    }
    app_run_end(&run);
    app_run_free(&run);
    return 0;
}
