#include <weir/error.h>

#include <stdarg.h>
#include <stdio.h>

const char *
weir_strerror(int code)
{
    switch (code) {
#define X(name, val, text)                                                                         \
    case val:                                                                                      \
        return text;
        WEIR_ERR_LIST(X)
#undef X
    }
    return "unknown error";
}

int
weir_err_set(struct weir_errbuf *err, int code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return code;
}
