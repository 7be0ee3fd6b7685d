/* Predicted costs: what a cell takes on one core, in about microseconds. Only their ratios matter: they decide what
 * is started first, how work is shared out and what a progress line expects. */
#ifndef EXPERIMENT_COST_H
#define EXPERIMENT_COST_H

#include <stddef.h>

#include "experiment/spec.h"

/* Of the exact laws of a target under a score error at a number of steps, all dimensions together (they share their
 * laws). */
double cost_of_law(const struct spec *spec, size_t target, size_t score_error, size_t steps);

/* Of one step of one chain of a target, in each of the spec's dimensions, for free(); NULL where memory runs out. */
double *costs_of_chain(const struct spec *spec, size_t target);

struct cell;

/* Of a cell. Args: chain, costs_of_chain of its target, of a cell of chains. */
double cost_of_cell(const struct cell *cell, const double *chain);

#endif
