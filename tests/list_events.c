/* Prints each event with its fields, a line each: what doc/events.md has to list. */
#include <weir/event.h>

#include <stdio.h>

int
main(void)
{
    for (unsigned type = 0; type < WEIR_EV_COUNT; type++) {
        printf("%s", weir_event_name(type));
        for (const struct weir_field *f = weir_event_fields(type); f->name != NULL; f++)
            printf(" %s", f->name);
        printf("\n");
    }
    return 0;
}
