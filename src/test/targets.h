/* Targets for tests, without an experiment's file: target_init, then values by their keys. */
#ifndef TEST_TARGETS_H
#define TEST_TARGETS_H

#include <stddef.h>

#include "model/target.h"

/* The member of that key, which must be of that kind. */
double *real_in(struct target *target, const char *key);
size_t *integer_in(struct target *target, const char *key); /* a choice and a variant, too, by their places */
struct real_list *reals_in(struct target *target, const char *key);
struct point_list *points_in(struct target *target, const char *key);
struct file_numbers *numbers_in(struct target *target, const char *key);
struct number_table *table_in(struct target *target, const char *key);
struct target_list *parts_in(struct target *target, const char *key);

/* A mixture's weights, means and sds; the arrays are borrowed, so that the target is not to be cleared. On the line,
 * in the plane, or NULL: without means. */
void set_mixture(struct target *target, size_t components, const double *weights, const double *means,
                 const double *sds);

#endif
