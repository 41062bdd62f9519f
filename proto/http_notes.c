#include "http_notes.h"

#include <stddef.h>
#include <string.h>

struct note {
    const char *begins; /* a line of the log; the first that fits counts */
    const char *name;
};

/* clang-format off */
static const struct note notes[] = {
    { "GZip decompressor:", "http.gzip_decompression_failed" },
    { "LZMA decompressor: memory limit reached", "http.lzma_memlimit_reached" },
    { "Compression bomb:", "http.compression_bomb" },
    { "Request field invalid: colon missing", "http.request_field_missing_colon" },
    { "Response field invalid: missing colon", "http.response_field_missing_colon" },
    { "Request chunk encoding: Invalid chunk length", "http.invalid_request_chunk_len" },
    { "Response chunk encoding: Invalid chunk length", "http.invalid_response_chunk_len" },
    { "Invalid T-E value in request", "http.invalid_transfer_encoding_value_in_request" },
    { "Invalid T-E value in response", "http.invalid_transfer_encoding_value_in_response" },
    { "Invalid C-L field in request", "http.invalid_content_length_field_in_request" },
    { "Invalid C-L field in response", "http.invalid_content_length_field_in_response" },
    { "Already seen 100-Continue", "http.100_continue_already_seen" },
    { "Unable to match response to request", "http.unable_to_match_response_to_request" },
    { "Invalid server port information in request", "http.invalid_server_port_in_request" },
    { "Request buffer over the limit", "http.request_field_too_long" },
    { "Response the buffer limit", "http.response_field_too_long" },
    { "Response buffer over the limit", "http.response_field_too_long" },
    { "C-T multipart/byteranges in responses not supported", "http.response_multipart_byteranges" },
    { "Request field invalid", "http.request_header_invalid" },
    { "Response field invalid", "http.response_header_invalid" },
    { "Request header name is not a token", "http.request_header_invalid" },
    { "Response header name is not a token", "http.response_header_invalid" },
    { "Host information in request headers required by HTTP/1.1", "http.missing_host_header" },
    { "Host information ambiguous", "http.host_header_ambiguous" },
    { "Invalid request field folding", "http.invalid_request_field_folding" },
    { "Invalid response field folding", "http.invalid_response_field_folding" },
    { "Ambiguous request C-L value", "http.duplicate_content_length_field_in_request" },
    { "Ambiguous response C-L value", "http.duplicate_content_length_field_in_response" },
    { "Request line: URI contains non-compliant delimiter", "http.uri_delim_non_compliant" },
    { "Request line: non-compliant delimiter between Method and URI", "http.method_delim_non_compliant" },
    { "Request line: leading whitespace", "http.request_line_leading_whitespace" },
    { "Request line: missing protocol", "http.request_line_missing_protocol" },
    { "Request line incomplete", "http.request_line_incomplete" },
    { "Unexpected request body", "http.request_body_unexpected" },
    { "Too many response content encoding layers", "http.too_many_encoding_layers" },
    { "C-E gzip has abnormal value", "http.abnormal_ce_header" },
    { "C-E deflate has abnormal value", "http.abnormal_ce_header" },
    { "C-E unknown setting", "http.abnormal_ce_header" },
    { "Excessive request header repetitions", "http.request_header_repetition" },
    { "Excessive response header repetitions", "http.response_header_repetition" },
    { "Transfer-encoding has abnormal chunked value", "http.response_abnormal_transfer_encoding" },
    { "Chunked transfer-encoding on HTTP/0.9 or HTTP/1.0", "http.response_chunked_old_proto" },
    { "Invalid response line: invalid protocol", "http.response_invalid_protocol" },
    { "Invalid response line: invalid response status", "http.response_invalid_status" },
    { "Too many request headers", "http.request_too_many_headers" },
    { "Too many response headers", "http.response_too_many_headers" },
};
/* clang-format on */

const char *
http_note_of(const char *text)
{
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
        if (strncmp(text, notes[i].begins, strlen(notes[i].begins)) == 0)
            return notes[i].name;
    return NULL;
}
