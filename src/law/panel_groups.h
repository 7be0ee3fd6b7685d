/* Groups of panels that are evaluated together, and that a team of threads shares. The groups are the same for any
 * number of threads, and so are all bits. */
#ifndef LAW_PANEL_GROUPS_H
#define LAW_PANEL_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/parallel.h"
#include "core/status.h"
#include "law/norms.h"
#include "law/panels.h"

/* Zero-initialised but for the team, which may be NULL. */
struct panel_groups {
    struct team *team;
    struct panel_group *group;
    size_t capacity;
};
void panel_groups_free(struct panel_groups *groups);

/* What panels add up to; zero-initialised. */
struct panel_sums {
    double ignored; /* mass of q, under a map without noise */
    struct norm_sums errors;
};

/* What thread `thread` does with panels from..to-1 of a grid, of one anchor and dominant component, and adds to sums
 * of its own. */
typedef enum status panel_task(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                               struct error *error);

/* Does it with all panels, in groups of up to `together` at a time; `shared`: it is so much that threads are worth
 * their while. Out, if not NULL: *sums, of all groups. Error: that of the first group that fails. */
MUST_USE enum status panel_groups_run(struct panel_groups *groups, const struct panels *grid, size_t together,
                                      bool shared, panel_task *task, void *context, struct panel_sums *sums,
                                      struct error *error);

#endif
