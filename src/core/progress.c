#include "core/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"

#define PLAIN_INTERVAL 5.0
#define TERMINAL_INTERVAL 0.1

static void show(struct progress *progress, const char *label)
{
    double time = clock_seconds(), elapsed = time - progress->started;
    double interval = progress->terminal ? TERMINAL_INTERVAL : PLAIN_INTERVAL;
    if (time - progress->shown < interval)
        return;
    progress->shown = time;
    char remaining[32] = "?";
    double cost_left = fmax(progress->cost_total - progress->cost_done, 0.0); /* sums round differently */
    if (progress->cost_done > 0.0 && elapsed > 0.5)
        (void)snprintf(remaining, sizeof remaining, "%.0f s", elapsed * cost_left / progress->cost_done);
    char failed[40] = "";
    if (progress->failed > 0)
        (void)snprintf(failed, sizeof failed, " (%zu failed)", progress->failed);
    fprintf(stderr, "%s%zu/%zu %s%s, %s, %.0f s elapsed, about %s left%s", progress->terminal ? "\r\033[K" : "",
            progress->done, progress->total, progress->what, failed, label, elapsed, remaining,
            progress->terminal ? "" : "\n");
    fflush(stderr);
}

void progress_start(struct progress *progress, const char *what)
{
    double time = clock_seconds();
    *progress = (struct progress){.what = what, .started = time, .shown = time, .terminal = isatty(STDERR_FILENO)};
}

void progress_expect(struct progress *progress, size_t total, double cost_total)
{
    progress->total = total > progress->done ? total : progress->done;
    progress->cost_total = fmax(cost_total, progress->cost_done);
}

void progress_begin(struct progress *progress, const char *label)
{
    show(progress, label);
}

void progress_end(struct progress *progress, const char *label, double cost)
{
    progress->done++;
    progress->cost_done += cost;
    show(progress, label);
}

void progress_hide(const struct progress *progress)
{
    if (progress->terminal)
        fputs("\r\033[K", stderr);
}

void progress_finish(const struct progress *progress)
{
    double elapsed = clock_seconds() - progress->started;
    size_t length = strlen(progress->what); /* of the plural */
    fprintf(stderr, "%s%zu %.*s in %.1f s\n", progress->terminal ? "\r\033[K" : "", progress->done,
            (int)(length - (progress->done == 1)), progress->what, elapsed);
}
