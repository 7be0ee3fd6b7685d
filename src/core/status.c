#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>

enum status fail_with(struct error *error, enum status status, const char *format, ...)
{
    if (error != NULL) {
        va_list arguments;
        va_start(arguments, format);
        error->status = status;
        (void)vsnprintf(error->text, sizeof error->text, format, arguments);
        va_end(arguments);
    }
    return status;
}

const char *status_sentence(enum status status)
{
    static const char *const sentence[] = {
        [STATUS_OK] = "no error",
        [STATUS_INVALID] = "the input is not valid",
        [STATUS_INADMISSIBLE] = "the schedule does not exist for these parameters",
        [STATUS_UNSUPPORTED] = "no engine can compute this exactly",
        [STATUS_NUMERIC] = "the computation did not reach a trustworthy answer",
        [STATUS_MEMORY] = "out of memory",
        [STATUS_IO] = "reading or writing a file failed",
        [STATUS_EXTERNAL] = "an external program failed",
        [STATUS_INTERRUPTED] = "a signal asked the program to end",
    };
    size_t count = sizeof sentence / sizeof sentence[0];
    return (size_t)status < count ? sentence[status] : "unknown status";
}
