/* What each thread of the plane engine works with: levels, and the score of the present step, with its error. */
#ifndef LAW_PLANE_THREADS_H
#define LAW_PLANE_THREADS_H

#include "law/plane/transfer.h"
#include "law/propagate.h"

/* `marginals` has room for 4 numbers a component, which the directions of a score error keep pointing to; the same
 * are written for every thread. Free with plane_thread_free, also after an error. */
MUST_USE enum status plane_thread_new(struct propagation *run, void *plane, double *marginals,
                                      struct plane_thread *out, struct error *error);
void plane_thread_free(struct plane_thread *thread);

/* The scores and score errors of run->step; slots `from` and `to` are at its levels t and t-1. */
void plane_thread_set_score(struct plane_thread *thread, const struct propagation *run, size_t from, size_t to);

#endif
