/* Score errors that couple coordinates, as chains meet them: their size, and the law along the diagonal. */
#include <math.h>
#include <stdlib.h>

#include "core/random.h"
#include "sample/chain_target.h"
#include "sample/marginal.h"

#include "test/chain_cases.h"
#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(chains_error);

static const struct {
    const char *shape, *spread;
} coupled[] = {{"wave", "diagonal"}, {"bump", "diagonal"}, {"linear", "diagonal"},
               {"sign", "diagonal"}, {"wave", "all"},      {"bump", "one"},
               {"bump", "norm"},     {"wave", "norm"},     {"linear", "norm"}};

/* E|e_t(X_t)|^2 is eps^2 at every t of a uniform profile (13), here by exact samples of X_t. */
TEST(test_size_of_errors, .count = COUNT(coupled))
{
    enum { CHAINS = 1 << 13 };
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 4.5, 16);
    struct score_error score_error = spread_error(coupled[_i].shape, coupled[_i].spread, 0.7);
    OWNED(factor_list) list = score_error.spread == SPREAD_NORM ? list_of(&concentric, 1.0) : all_factors();
    OWNED(chain_target) with, without;
    struct random_key key = random_key_of(9, 9);
    size_t size = (size_t)D * CHAINS;
    double *block = calloc(4 * size, sizeof *block), *x = block, *u = block + size, *a = block + 2 * size,
           *b = block + 3 * size;
    ck_assert_ptr_nonnull(block);
    ASSERT_OK(chain_target_new, &list, NULL, &score_error, schedule, CHAINS, &with);
    ASSERT_OK(chain_target_new, &list, NULL, NULL, schedule, CHAINS, &without);
    for (size_t t = 3; t <= 16; t += 6) {
        double total = 0.0, square = 0.0;
        chain_target_set(&with, t);
        chain_target_set(&without, t);
        random_normals((struct random_block){key, 1, (uint32_t)t, 0, CHAINS, 0, D, CHAINS}, x);
        random_uniforms((struct random_block){key, 2, (uint32_t)t, 0, CHAINS, 0, D, CHAINS}, u);
        chain_target_draw(&with, FROM, u, x, x);
        struct level level = schedule_level(schedule, t);
        with.base.evaluate(&with.base, &level, size, x, a);
        without.base.evaluate(&without.base, &level, size, x, b);
        for (size_t j = 0; j < CHAINS; j++) {
            double norm = 0.0;
            for (size_t i = 0; i < D; i++)
                norm += (a[i * CHAINS + j] - b[i * CHAINS + j]) * (a[i * CHAINS + j] - b[i * CHAINS + j]);
            total += norm / CHAINS;
            square += norm * norm / CHAINS;
        }
        double allowed = 1e-12 + 4.0 * sqrt(fmax(square - total * total, 0.0) / CHAINS);
        ck_assert_msg(fabs(total - 0.49) < allowed, "%s %s, t = %zu: E|e|^2 = %g, expected 0.49 +- %g",
                      coupled[_i].shape, coupled[_i].spread, t, total, allowed);
    }
    free(block);
}

/* The law along the diagonal against its moments, and one that has too many components. */
TEST(test_diagonal_marginal)
{
    OWNED(factor_list) list = all_factors(), marginal = {0}, many = list_of(&skewed, 100.0);
    struct factor_list none;
    ASSERT_OK(factor_list_append, &many, &plane, 4.0);
    ASSERT_OK(marginal_of_diagonal, &list, &marginal);
    const struct factor *f = &marginal.group[0].factor;
    double weight = 0.0, mean = 0.0, exact = 0.0;
    for (size_t k = 0; k < f->components; k++) {
        weight += f->weight[k];
        mean += f->weight[k] * f->mean[k];
    }
    for (size_t b = 0; b < BLOCKS; b++)
        for (size_t k = 0; k < blocks[b].factor->components && blocks[b].factor->mean != NULL; k++)
            for (size_t i = 0; i < blocks[b].factor->dimension; i++)
                exact += blocks[b].factor->weight[k] * blocks[b].factor->mean[k * blocks[b].factor->dimension + i]
                         / sqrt(D);
    ck_assert_double_eq_tol(weight, 1.0, 1e-14);
    ck_assert_double_eq_tol(mean, exact, 1e-14);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "more than 20000 components", marginal_of_diagonal, &many, &none);
}
