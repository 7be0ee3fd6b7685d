/* Groups of panels that are evaluated together, by one thread or several, each with a workspace of its own. Every
 * panel gets the same bits for any number of threads. */
#ifndef LAW_LINE_PARALLEL_H
#define LAW_LINE_PARALLEL_H

#include <stddef.h>

#include "core/parallel.h"
#include "core/status.h"
#include "law/line/transfer.h"
#include "law/panels.h"

struct panel_threads {
    struct team *team; /* the caller's; NULL: one thread */
    size_t count;
    struct transfer_work *work; /* one a thread */
    struct panel_group *group;
    size_t capacity;
};

MUST_USE enum status panel_threads_new(const struct sampler *sampler, const struct quadrature_table *rules,
                                       struct team *team, struct panel_threads *out, struct error *error);
void panel_threads_free(struct panel_threads *threads);

/* The work of all threads so far. */
void panel_threads_work(const struct panel_threads *threads, size_t *node_updates, size_t *exponentials);

/* What is done with panels from..to-1 of a grid, of one anchor and dominant component. */
typedef enum status panel_task(void *context, struct transfer_work *work, size_t from, size_t to,
                               struct error *error);

/* Does it with all panels, in groups of up to `together` at a time, the same for any number of threads. `cost` is what
 * all of it takes, in exponentials: threads are not worth their while for little. `ignored`, if not NULL: becomes what
 * work->ignored of all groups adds up to. Error: that of the first group that fails. */
MUST_USE enum status panel_threads_run(struct panel_threads *threads, const struct panels *grid, size_t together,
                                       double cost, panel_task *task, void *context, double *ignored,
                                       struct error *error);

#endif
