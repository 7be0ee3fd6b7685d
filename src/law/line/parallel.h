/* Groups of panels that are evaluated together, by one thread or several, each with a workspace of its own. Every
 * panel gets the same bits for any number of threads. */
#ifndef LAW_LINE_PARALLEL_H
#define LAW_LINE_PARALLEL_H

#include <stddef.h>

#include "core/status.h"
#include "law/panels.h"
#include "law/line/transfer.h"

struct line_team {
    size_t threads;
    struct transfer_work *work; /* one a thread */
    size_t *start;              /* of the groups */
    size_t capacity;
};

/* threads = 0 counts as 1. With one thread OpenMP is not called at all. */
MUST_USE enum status line_team_new(const struct sampler *sampler, const struct rules *rules, size_t threads,
                                   struct line_team *out, struct error *error);
void line_team_free(struct line_team *team);

/* The work of all threads so far. */
void line_team_work(const struct line_team *team, size_t *node_updates, size_t *exponentials);

/* What is done with panels from..to-1 of a grid, of one anchor and dominant component. */
typedef enum status line_task(void *context, struct transfer_work *work, size_t from, size_t to, struct error *error);

/* Does it with all panels, up to `together` at a time. `cost` is what all of it takes, in exponentials: threads are
 * not worth their while for little. Error: that of the first group that fails. */
MUST_USE enum status line_team_run(struct line_team *team, const struct panels *grid, size_t together, double cost,
                                   line_task *task, void *context, struct error *error);

#endif
