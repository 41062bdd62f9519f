/* Events as EVE records of type flow_event, one JSON object a line. */
#ifndef WEIR_OUT_JSON_H
#define WEIR_OUT_JSON_H

#include "json.h"

#include <weir/event.h>

/* max_bytes: how many bytes of a field that shows bytes are written. */
void out_json_event(struct out *out, const struct weir_event *ev, uint32_t max_bytes);

/* Only its object flow_event, within a record. */
void out_json_fields(struct json *j, const struct weir_event *ev, uint32_t max_bytes);

#endif
