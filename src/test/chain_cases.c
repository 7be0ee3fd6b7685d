#include "test/chain_cases.h"

#include <string.h>

#include "test/laws.h"
#include "test/suite.h"

static const double even[] = {0.5, 0.5}, modes[] = {-1.0, 1.0}, narrow[] = {0.3, 0.3};
static const double thirds[] = {0.2, 0.5, 0.3}, places[] = {-1.5, 0.0, 1.0}, widths[] = {0.2, 0.5, 0.3};
static const double certain[] = {1.0}, origin[] = {0.0}, half[] = {0.5};
static const double corners[] = {0.0, 1.0, 1.0, 0.0, -1.0, -1.0};
static double covariance[] = {0.3, 0.1, 0.0, 0.1, 0.2, -0.05, 0.0, -0.05, 0.1};
static const double space[] = {0.0, 1.0, 0.5, 1.0, 0.0, -0.5};
static const struct covariances shared = {1, covariance};

const struct factor bimodal = {1, 2, even, modes, narrow, NULL, NULL, NULL},
                    skewed = {1, 3, thirds, places, widths, NULL, NULL, NULL},
                    plane = {2, 3, thirds, corners, widths, NULL, NULL, NULL},
                    radial = {3, 2, even, NULL, narrow, NULL, NULL, NULL},
                    full = {3, 2, even, space, NULL, &shared, NULL, NULL},
                    concentric = {11, 3, thirds, NULL, widths, NULL, NULL, NULL},
                    normal = {1, 1, certain, origin, half, NULL, NULL, NULL};

struct factor_list all_factors(void)
{
    struct factor_list list = {0};
    ASSERT_OK(factor_list_append, &list, &bimodal, 2.0);
    ASSERT_OK(factor_list_append, &list, &skewed, 1.0);
    ASSERT_OK(factor_list_append, &list, &plane, 1.0);
    ASSERT_OK(factor_list_append, &list, &radial, 1.0);
    ASSERT_OK(factor_list_append, &list, &full, 1.0);
    return list;
}

const struct block blocks[BLOCKS] = {{&bimodal, 0}, {&bimodal, 1}, {&skewed, 2},
                                     {&plane, 3},   {&radial, 5},  {&full, 8}};

struct score_error spread_error(const char *shape, const char *spread, double size)
{
    struct score_error error = make_error(shape, size, 2.0, 0.05);
    while (strcmp(error_spread_names[error.spread], spread) != 0)
        error.spread++;
    return error;
}

struct points run_chains(const struct chain_problem *problem, size_t n)
{
    struct points points;
    ASSERT_OK(chains_run, problem, n, &points);
    return points;
}
