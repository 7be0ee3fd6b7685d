/* What tests of chains share: a target of every kind of factor, and runs of chains on it. */
#ifndef TEST_CHAIN_CASES_H
#define TEST_CHAIN_CASES_H

#include "law/law.h"
#include "model/score_error.h"
#include "model/target.h"
#include "sample/chains.h"

/* Coordinates, a plane, an isotropic and a full factor, one of three concentric components, and N(0, 1/4). */
extern const struct factor bimodal, skewed, plane, radial, full, concentric, normal;

/* 2 bimodal + 1 skewed coordinates, then a plane, a radial and a full factor: d = 11. */
struct factor_list all_factors(void); /* for factor_list_free() */

/* The factors of that list one by one, with their first coordinates. */
enum { BLOCKS = 6, D = 11 };
extern const struct block {
    const struct factor *factor;
    size_t first;
} blocks[BLOCKS];

struct score_error spread_error(const char *shape, const char *spread, double size);
struct points run_chains(const struct chain_problem *problem, size_t n); /* for points_free() */

#endif
