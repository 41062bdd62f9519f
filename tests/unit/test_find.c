/* Contents among bytes, against trying every place. */
#include "detect/find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 200000, BYTES = 100 };

static uint8_t
lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static const uint8_t *
find_slowly(const struct step *step, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + step->n <= n; i++) {
        size_t k = 0;

        while (k < step->n &&
               (step->flags & STEP_NOCASE ? lower(p[i + k]) : p[i + k]) == step->bytes[k])
            k++;
        if (k == step->n)
            return p + i;
    }
    return NULL;
}

static unsigned
below(unsigned n)
{
    return (unsigned)rand() % n;
}

/* Few letters, so that much looks alike; the bytes end where their memory does. */
static void
it_agrees_with_trying_every_place(void **state)
{
    static const char letters[] = "aAbB@`[{"; /* some differ from others by 0x20 only */

    (void)state;
    srand(7);
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t n = below(BYTES);
        uint8_t content[24], *p = malloc(n > 0 ? n : 1);
        unsigned kinds = 1 + below(8);
        struct step step = { .bytes = content, .n = (uint16_t)(1 + below(24)) };

        step.flags = below(2) ? STEP_NOCASE : 0;
        for (size_t i = 0; i < n; i++)
            p[i] = (uint8_t)letters[below(kinds)];
        for (unsigned i = 0; i < step.n; i++)
            content[i] = (uint8_t)letters[below(kinds)];
        if (n > step.n && below(2))
            memcpy(content, p + below((unsigned)n - step.n + 1), step.n);
        for (unsigned i = 0; step.flags & STEP_NOCASE && i < step.n; i++)
            content[i] = lower(content[i]);
        assert_ptr_equal(find(&step, p, n), find_slowly(&step, p, n));
        free(p);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(it_agrees_with_trying_every_place) };

    return cmocka_run_group_tests_name("find", tests, NULL, NULL);
}
