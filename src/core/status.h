/* Errors as values: every fallible function returns a status and, on failure, leaves one sentence with the failing
 * value in the caller's struct error. Library code never prints and never exits. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#define MUST_USE __attribute__((warn_unused_result))

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,      /* the caller's input is wrong: a spec, an argument */
    STATUS_INADMISSIBLE, /* the schedule does not exist for these parameters */
    STATUS_UNSUPPORTED,  /* no engine can compute this exactly */
    STATUS_NUMERIC,      /* a computation did not reach a trustworthy answer */
    STATUS_MEMORY,
    STATUS_IO,
    STATUS_EXTERNAL,   /* a program or library we call failed */
    STATUS_INTERRUPTED /* a signal asked the program to end */
};

struct error {
    enum status status;
    char text[600];
};

/* Sets *error and returns `status`, so that a caller writes `return fail_with(error, STATUS_..., "...", value);`.
 * `error` may be NULL. */
enum status fail_with(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Returns the call's status from the function around it unless that is STATUS_OK. */
#define TRY(call) \
    do { \
        enum status try_status = (call); \
        if (try_status != STATUS_OK) \
            return try_status; \
    } while (0)

/* The same for a function that has something to free: sets its variable `status` and leaves by its one exit, `label`,
 * unless that is STATUS_OK. */
#define TRY_OR(label, call) \
    do { \
        status = (call); \
        if (status != STATUS_OK) \
            goto label; \
    } while (0)

/* One sentence for a status code. Never NULL. */
const char *status_sentence(enum status status);

#endif
